"""The framing of a chunked body, without its data and without I/O: sizes, line ends, trailers."""

from __future__ import annotations

import re

MAX_LINE_BYTES = 256
MAX_TRAILER_BYTES = 16 * 1024

_SIZE = re.compile(rb"([0-9A-Fa-f]{1,16})(?:;[\t -~\x80-\xff]*+)?\r\n")
_TRAILER = re.compile(rb"(?:[!#$%&'*+.^_`|~0-9A-Za-z-]++:[\t -~\x80-\xff]*+\r\n)*+\r\n")
_TRAILER_END = re.compile(rb"\n\r?\n")


class MalformedChunkError(Exception):
    """The body is not chunked as it says."""


class ChunkFraming:
    """Reads what stands between the data. Trailers are dropped: nobody signed them."""

    def __init__(self) -> None:
        self.is_complete = False
        self._is_inside = False  # after the data of a chunk, before its line end

    def advance(self, received: bytes) -> tuple[int, int]:
        """Read the framing that ``received`` begins with: its size, and how many bytes of data follow. Both
        are 0 when more must come. Not called before that data is read. Raises MalformedChunkError."""
        start = 2 if self._is_inside else 0
        if self._is_inside and received[:2] != b"\r\n"[: len(received)]:
            raise MalformedChunkError("no line end after the data")
        match = _SIZE.match(received, start)
        if match is None:
            if len(received) > start + MAX_LINE_BYTES or b"\n" in received[start:]:
                raise MalformedChunkError("a bad chunk size")
            return 0, 0
        if match.end() - start > MAX_LINE_BYTES:
            raise MalformedChunkError("a chunk extension that is too long")
        data_bytes = int(match[1], 16)
        if data_bytes == 0:
            return self._end(received, match.end()), 0
        self._is_inside = True
        return match.end(), data_bytes

    def _end(self, received: bytes, start: int) -> int:
        """The last chunk counts once its trailers are here."""
        match = _TRAILER.match(received, start)
        if match is None:
            if len(received) - start > MAX_TRAILER_BYTES or _TRAILER_END.search(received, start - 1):
                raise MalformedChunkError("bad trailers")
            return 0
        self.is_complete = True
        return match.end()
