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
"""Room for some 25,000 series, twice; only what is written takes memory."""
_HALF: Final = SLOT_BYTES // 2
_HEADER: Final = struct.Struct("<QII")
"""How many times the slot was written, how long the text is, its CRC-32."""
_TRIES: Final = 10

_Written = tuple[int, bytes]


class Board:
    """The memory by its descriptor. A slot has one writer, which may write while others read.

    It is written in two halves in turn: in the one that is not, there is always what was written before, also
    when the writer dies over it.
    """

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self.slots = os.fstat(fd).st_size // SLOT_BYTES

    def write(self, number: int, text: bytes) -> None:
        """Leave ``text`` in slot ``number`` (from 1 on), in place of what is there. Raises ValueError when
        it is too long."""
        if len(text) > _HALF - _HEADER.size:
            raise ValueError(f"{len(text)} bytes of metrics do not fit: too many series")
        newest = self._newest(number)
        times = newest[0] + 1 if newest else 1
        head = _HEADER.pack(times, len(text), zlib.crc32(text))
        os.pwrite(self._fd, head + text, _offset(number, times))

    def read(self, number: int) -> bytes | None:
        """What was written last; None before that."""
        newest = self._newest(number)
        return newest[1] if newest else None

    def _newest(self, number: int) -> _Written | None:
        found: list[_Written] = []
        for _ in range(_TRIES):
            halves = [self._half(_offset(number, half)) for half in (0, 1)]
            found = [half for half in halves if half is not None]
            if len(found) == len(halves):
                break
        return max((half for half in found if half[0]), default=None)

    def _half(self, offset: int) -> _Written | None:
        """Nothing, the 0th time, if it was never written; None while it is being written."""
        times, length, checksum = _HEADER.unpack(os.pread(self._fd, _HEADER.size, offset))
        text = os.pread(self._fd, min(length, _HALF), offset + _HEADER.size)
        return (times, text) if len(text) == length and zlib.crc32(text) == checksum else None


def _offset(number: int, times: int) -> int:
    return (number - 1) * SLOT_BYTES + times % 2 * _HALF


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
