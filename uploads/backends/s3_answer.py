"""Reading one HTTP/1.1 response: ``http.client`` takes four times as long, most of it for e-mail headers.

What is not exactly a response is an error: a lenient reader takes one answer's rest for the next answer.
Source: RFC 9112, sections 2 (message), 4 (status line), 6 (body) and 7 (chunked).
"""

from __future__ import annotations

import http.client
import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

# ListParts may tell of a thousand parts.
ANSWER_BYTES = 1024 * 1024
HEAD_BYTES = 64 * 1024
MAX_HEADERS = 100

_PROTOCOL = b"HTTP/1."
_STATUS_LINE = re.compile(r"HTTP/1\.([01]) ([1-5][0-9]{2})(?: .*)?")
_MAX_DIGITS = 18
_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;.*)?")
_CHUNK_LINE_BYTES = 4096
_END = b"\r\n\r\n"


class Answer(NamedTuple):
    """A response. Header names are in lower case; one sent several times is joined by commas. The body is
    cut at ``ANSWER_BYTES``.

    ``is_last``: nothing else can be read from this connection.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    is_last: bool


def read_answer(receive: Callable[[], bytes], *, is_to_head: bool = False) -> Answer:
    """The final response of a stream; informational ones are passed over. One ``is_to_head`` has no body,
    whatever its head says of one.

    ``receive`` returns the bytes that came next and ``b""`` at the end. Raises what it raises,
    HTTPException for what is no response, and its RemoteDisconnected for none at all.
    """
    reader = _Reader(receive)
    status, headers, is_last = reader.head()
    while status < 200:
        status, headers, is_last = reader.head()
    body, is_whole = (b"", True) if is_to_head else reader.body(status, headers)
    return Answer(status, headers, body, is_last or not is_whole or reader.has_more())


class _Reader:
    """Takes a response apart, as much at a time as has come."""

    __slots__ = ("_buffer", "_receive")

    def __init__(self, receive: Callable[[], bytes]) -> None:
        self._receive = receive
        self._buffer = b""

    def has_more(self) -> bool:
        """Bytes came that belong to nothing yet."""
        return bool(self._buffer)

    def head(self) -> tuple[int, dict[str, str], bool]:
        """Status, headers, and whether the connection ends after this response."""
        lines = self._head_bytes().decode("latin-1").split("\r\n")
        status_line = _STATUS_LINE.fullmatch(lines[0])
        if status_line is None:
            raise http.client.BadStatusLine(lines[0])
        if len(lines) > MAX_HEADERS:
            raise http.client.HTTPException("the answer has too many headers")
        headers: dict[str, str] = {}
        for line in lines[1:]:
            name, colon, value = line.partition(":")
            if not colon or not name or " " in name or "\t" in name or "\n" in line or "\r" in line:
                raise http.client.HTTPException("the answer has a line that is no header")
            name, value = name.lower(), value.strip(" \t")
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
        version, status = status_line.groups()
        options = headers.get("connection", "").lower()
        return int(status), headers, version == "0" or "close" in options

    def _head_bytes(self) -> bytes:
        """Up to the empty line. What does not begin like a response is not waited for to end like one."""
        if not self._buffer:
            self._buffer = self._receive()
            if not self._buffer:
                raise http.client.RemoteDisconnected("the connection ended without an answer")
        while (end := self._buffer.find(_END)) < 0:
            if not self._buffer.startswith(_PROTOCOL) and not _PROTOCOL.startswith(self._buffer):
                raise http.client.BadStatusLine(repr(self._buffer[:20]))
            if len(self._buffer) > HEAD_BYTES:
                raise http.client.LineTooLong("head of the answer")
            self._fill()
        head, self._buffer = self._buffer[:end], self._buffer[end + len(_END) :]
        return head

    def _fill(self) -> None:
        more = self._receive()
        if not more:
            raise http.client.IncompleteRead(self._buffer)
        self._buffer += more

    def body(self, status: int, headers: Mapping[str, str]) -> tuple[bytes, bool]:
        """The body, and whether it is whole and ended where it said; one cut short is what has come."""
        coding = headers.get("transfer-encoding")
        length = headers.get("content-length")
        if status in (204, 304):
            return b"", True
        if coding is not None:
            if coding.lower() != "chunked":
                raise http.client.UnknownTransferEncoding(coding)
            body, is_whole = self._chunks()
            return body, is_whole and length is None
        if length is None:
            return self._up_to(ANSWER_BYTES), False
        # Of latin-1's characters only ten are decimal.
        if not length.isdecimal() or len(length) > _MAX_DIGITS:
            raise http.client.HTTPException("the answer has a Content-Length that is no number")
        size = int(length)
        body = self._up_to(min(size, ANSWER_BYTES)) if size else b""
        return body, len(body) == size

    def _up_to(self, size: int) -> bytes:
        while len(self._buffer) < size and (more := self._receive()):
            self._buffer += more
        body, self._buffer = self._buffer[:size], self._buffer[size:]
        return body

    def _chunks(self) -> tuple[bytes, bool]:
        body = b""
        while size := self._chunk_size():
            if len(body) + size > ANSWER_BYTES:
                return body + self._up_to(ANSWER_BYTES - len(body)), False
            body += self._exactly(size)
            if self._exactly(2) != b"\r\n":
                raise http.client.HTTPException("the answer has a chunk that is longer than it said")
        for _ in range(MAX_HEADERS):
            if not self._line():
                return body, True
        raise http.client.HTTPException("the answer has too many trailers")

    def _chunk_size(self) -> int:
        match = _CHUNK_SIZE.fullmatch(self._line())
        if match is None:
            raise http.client.HTTPException("the answer has a chunk without a size")
        return int(match[1], 16)

    def _exactly(self, size: int) -> bytes:
        data = self._up_to(size)
        if len(data) < size:
            raise http.client.IncompleteRead(data)
        return data

    def _line(self) -> bytes:
        while (end := self._buffer.find(b"\r\n")) < 0:
            if len(self._buffer) > _CHUNK_LINE_BYTES:
                raise http.client.LineTooLong("chunk of the answer")
            self._fill()
        line, self._buffer = self._buffer[:end], self._buffer[end + 2 :]
        return line
