"""The answer of a WSGI application, as HTTP/1 writes it."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterable
from email.utils import formatdate
from functools import lru_cache
from typing import Any

from .connection import Connection
from .request_head import RequestHead

Headers = list[tuple[str, str]]

_BODILESS = ("204", "304")
_LAST_CHUNK = b"0\r\n\r\n"


class ClientGoneError(ConnectionError):
    """The client left, or took no byte of the answer for the time limit."""


class Response:
    """``start_response`` and what follows it, for a request with ``head``.

    ``may_keep`` is asked when the answer begins: whether another request may come after it.
    """

    def __init__(self, connection: Connection, head: RequestHead, may_keep: Callable[[], bool]) -> None:
        self._connection = connection
        self._head = head
        self._may_keep = may_keep
        self._status = ""
        self._headers: Headers = []
        self._written: list[bytes] = []
        self.is_begun = False
        self.keeps_connection = False

    def start(self, status: str, headers: Headers, exc_info: Any = None) -> Callable[[bytes], object]:
        """``start_response`` of PEP 3333."""
        if exc_info and self.is_begun:
            raise exc_info[1].with_traceback(exc_info[2])
        if self._status and not exc_info:
            raise RuntimeError("start_response was called twice")
        self._status, self._headers = status, list(headers)
        return self._written.append

    def send(self, body: Iterable[bytes]) -> None:
        """Send what the application returned, and close it: a whole body together with its head, one in
        blocks as it comes. Raises what iterating raises, ClientGoneError."""
        try:
            if isinstance(body, list | tuple) or getattr(body, "streaming", True) is False:
                self._send_whole(b"".join([*self._written, *body]))
            else:
                self._send_blocks(filter(None, itertools.chain(self._written, body)))
        finally:
            close = getattr(body, "close", None)
            if close is not None:
                close()

    def fail(self) -> None:
        """Make it a 500 when nothing was sent yet; an answer under way just breaks off."""
        self.keeps_connection = False
        if not self.is_begun:
            self._status, self._headers = "500 Internal Server Error", []
            self._send_whole(b"")

    def _send_whole(self, body: bytes) -> None:
        if self._has_no_body():
            self._send(self._begin(self._announced_bytes() or str(len(body))))
        else:
            self._send(self._begin(str(len(body))) + body)

    def _send_blocks(self, blocks: Iterable[bytes]) -> None:
        iterator = iter(blocks)
        first = next(iterator, b"")  # a generator calls start_response by now
        announced = self._announced_bytes()
        is_chunked = announced is None and self._head.is_http_1_1
        self._send(self._begin(announced))
        if self._has_no_body():
            return
        sent = 0
        for block in itertools.chain((first,), iterator):
            self._send(b"%x\r\n%b\r\n" % (len(block), block) if is_chunked and block else block)
            sent += len(block)
        if is_chunked:
            self._send(_LAST_CHUNK)
        elif announced is None or int(announced) != sent:
            self.keeps_connection = False

    def _begin(self, length: str | None) -> bytes:
        """The head of the answer. ``length`` is its Content-Length; None: in chunks, or until the end."""
        if not self._status:
            raise RuntimeError("the application sent a body before start_response")
        is_1_1 = self._head.is_http_1_1
        self.keeps_connection = (
            self._head.keeps_connection and (length is not None or is_1_1) and self._may_keep()
        )
        headers = [(name.lower(), value) for name, value in self._headers if name.lower() != "content-length"]
        if length is None and is_1_1:
            headers.append(("transfer-encoding", "chunked"))
        elif length is not None and not self._status.startswith(_BODILESS):
            headers.append(("content-length", length))
        if not self.keeps_connection:
            headers.append(("connection", "close"))
        elif not is_1_1:
            headers.append(("connection", "keep-alive"))
        encoded = encode_head(self._status, headers)
        self.is_begun = True
        return encoded

    def _has_no_body(self) -> bool:
        return self._head.method == "HEAD" or self._status.startswith(_BODILESS)

    def _announced_bytes(self) -> str | None:
        return next((value for name, value in self._headers if name.lower() == "content-length"), None)

    def _send(self, data: bytes) -> None:
        try:
            self._connection.socket.sendall(data)
        except OSError as error:
            raise ClientGoneError(str(error)) from error


def encode_head(status: str, headers: Headers) -> bytes:
    """The head of an answer. Raises ValueError for text that would begin another line."""
    lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in headers), _date(int(time.time()))]
    text = "\r\n".join(lines)
    if text.count("\n") >= len(lines) or text.count("\r") >= len(lines) or "\0" in text:
        raise ValueError("a header of the answer holds a line break")
    return text.encode("latin-1") + b"\r\n\r\n"


@lru_cache(maxsize=1)
def _date(second: int) -> str:
    return f"date: {formatdate(second, usegmt=True)}"
