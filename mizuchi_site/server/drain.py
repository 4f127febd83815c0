"""Whether the server is draining: one byte of memory that the main process and every worker share.

The main process sets it on SIGTERM or SIGINT; ``/readyz`` then answers 503 and every response closes its
connection. In a process that the server did not start (tests, ``runserver``) it is never set.
"""

from __future__ import annotations

import mmap
import tempfile
from typing import Self

_CLEAR = 0
_attached: mmap.mmap | bytes = bytes([_CLEAR])


class DrainFlag:
    """The flag as the main process holds it; ``fileno()`` is what a worker inherits."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the server
        self._file.truncate(1)
        self._memory = mmap.mmap(self._file.fileno(), 1)

    def fileno(self) -> int:
        return self._file.fileno()

    def set(self) -> None:
        self._memory[0] = 1

    def close(self) -> None:
        self._memory.close()
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()


def attach(fd: int) -> None:
    """Follow the flag behind ``fd`` from now on; called once, by a worker that starts."""
    global _attached
    _attached = mmap.mmap(fd, 1, prot=mmap.PROT_READ)


def is_draining() -> bool:
    """True once the server was told to stop. A memory read."""
    return _attached[0] != _CLEAR
