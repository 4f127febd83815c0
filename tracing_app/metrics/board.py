"""Memory in which the workers of a server leave their numbers to each other: a slot for each.

It is a file without a name, which the main process opens and every worker inherits: it ends with the server,
and what a worker that died left in its slot is there for the one that takes its place.
"""

from __future__ import annotations

import os
import struct
import tempfile
import zlib
from types import TracebackType
from typing import IO, Final, Self

SLOT_BYTES: Final = 8 * 1024 * 1024
"""Room for some 50,000 series; only what is written takes memory."""
_HEADER: Final = struct.Struct("<II")
_TRIES: Final = 5


class Board:
    """The memory by its descriptor. A slot has one writer, which may write while others read."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self.slots = os.fstat(fd).st_size // SLOT_BYTES

    def write(self, number: int, text: bytes) -> None:
        """Leave ``text`` in slot ``number`` (from 1 on), in place of what is there. Raises ValueError when
        it is too long."""
        if len(text) > SLOT_BYTES - _HEADER.size:
            raise ValueError(f"{len(text)} bytes of metrics do not fit: too many series")
        os.pwrite(self._fd, _HEADER.pack(len(text), zlib.crc32(text)) + text, (number - 1) * SLOT_BYTES)

    def read(self, number: int) -> bytes | None:
        """What is there; None when nothing is whole: never written, or its writer died over it."""
        offset = (number - 1) * SLOT_BYTES
        for _ in range(_TRIES):
            length, checksum = _HEADER.unpack(os.pread(self._fd, _HEADER.size, offset))
            text = os.pread(self._fd, min(length, SLOT_BYTES), offset + _HEADER.size)
            if length and len(text) == length and zlib.crc32(text) == checksum:
                return text
        return None


class OpenedBoard:
    """The file, as the main process has it."""

    def __init__(self, slots: int) -> None:
        self._file: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the server
        self._file.truncate(slots * SLOT_BYTES)

    def fileno(self) -> int:
        return self._file.fileno()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._file.close()
