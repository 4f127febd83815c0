"""A file descriptor that is closed on every way out."""

from __future__ import annotations

import os


class Descriptor:
    """``with Descriptor(fd) as fd:``; a class and no generator, because every request has several."""

    __slots__ = ("_fd",)

    def __init__(self, fd: int) -> None:
        self._fd = fd

    def __enter__(self) -> int:
        return self._fd

    def __exit__(self, *raised: object) -> None:
        os.close(self._fd)
