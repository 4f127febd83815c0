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
    """Tells how many bytes of data come next: ``data_left``, which the reader lowers as it takes them.

    When it is 0, ``advance`` reads on, until ``is_complete``. Trailers are dropped: nobody signed them.
    """

    def __init__(self) -> None:
        self.data_left = 0
        self.is_complete = False
        self._is_inside = False  # after the data of a chunk, before its line end

    def advance(self, received: bytes) -> int:
        """Read the framing at the beginning of ``received``; how many bytes it was, 0 when more must come.

        Raises MalformedChunkError. Not called while data is left."""
        start = 2 if self._is_inside else 0
        if self._is_inside and received[:2] != b"\r\n"[: len(received)]:
            raise MalformedChunkError("no line end after the data")
        match = _SIZE.match(received, start)
        if match is None:
            if len(received) > start + MAX_LINE_BYTES or b"\n" in received[start:]:
                raise MalformedChunkError("a bad chunk size")
            return 0
        if match.end() - start > MAX_LINE_BYTES:
            raise MalformedChunkError("a chunk extension that is too long")
        size = int(match[1], 16)
        if size == 0:
            return self._end(received, match.end())
        self.data_left = size
        self._is_inside = True
        return match.end()

    def _end(self, received: bytes, start: int) -> int:
        """The last chunk counts once its trailers are here."""
        match = _TRAILER.match(received, start)
        if match is None:
            if len(received) - start > MAX_TRAILER_BYTES or _TRAILER_END.search(received, start - 1):
                raise MalformedChunkError("bad trailers")
            return 0
        self.is_complete = True
        return match.end()
