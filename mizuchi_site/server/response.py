"""The answer of a WSGI application, sent as messages of the ASGI specification."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from queue import Empty, SimpleQueue
from typing import Any

from .exchange import Exchange, Future

Headers = list[tuple[str, str]]


class ClientGoneError(ConnectionError):
    """The client took no byte of the answer for the time limit."""


class Response:
    """``start_response`` and what follows it. ``extra_headers`` go with whatever the application sets."""

    def __init__(
        self, exchange: Exchange, *, extra_headers: Callable[[], Headers], stall_seconds: float
    ) -> None:
        self._exchange = exchange
        self._extra_headers = extra_headers
        self._stall_seconds = stall_seconds
        self._status = 0
        self._headers: Headers = []
        self._written: list[bytes] = []
        self._rest = b""
        self.is_sent = False

    def start(self, status: str, headers: Headers, exc_info: Any = None) -> Callable[[bytes], object]:
        """``start_response`` of PEP 3333."""
        if exc_info and self.is_sent:
            raise exc_info[1].with_traceback(exc_info[2])
        if self._status and not exc_info:
            raise RuntimeError("start_response was called twice")
        self._status, self._headers = int(status[:3]), list(headers)
        return self._written.append

    def take(self, body: Iterable[bytes]) -> None:
        """Take what the application returned, and close it. A whole body is kept for ``finish``, one in
        blocks is sent as it comes. Raises what iterating raises."""
        try:
            if isinstance(body, list | tuple) or getattr(body, "streaming", True) is False:
                self._rest = b"".join([*self._written, *body])
            else:
                self._send_blocks(body)
        finally:
            close = getattr(body, "close", None)
            if close is not None:
                close()

    def fail(self) -> None:
        """Make it a 500 when nothing was sent yet; an answer under way just ends."""
        if not self.is_sent:
            self._status, self._headers, self._rest = 500, [("Content-Length", "0")], b""

    def finish(self) -> None:
        """Send what was not sent yet."""
        if not self.is_sent:
            self._send_head()
        self._exchange.send({"type": "http.response.body", "body": self._rest, "more_body": False})

    def _send_blocks(self, body: Iterable[bytes]) -> None:
        for block in filter(None, itertools.chain(self._written, body)):
            self._send_block(block)

    def _send_block(self, block: bytes) -> None:
        if not self.is_sent:
            self._send_head()
        sending = self._exchange.send({"type": "http.response.body", "body": block, "more_body": True})
        if hasattr(sending, "add_done_callback"):
            self._wait_until_taken(sending)

    def _wait_until_taken(self, sending: Future) -> None:
        taken: SimpleQueue[Future] = SimpleQueue()
        sending.add_done_callback(taken.put)
        try:
            taken.get(timeout=self._stall_seconds)
        except Empty:
            sending.cancel()
            raise ClientGoneError("the client does not take the answer") from None

    def _send_head(self) -> None:
        if not self._status:
            raise RuntimeError("the application sent a body before start_response")
        self.is_sent = True
        headers = [*self._headers, *self._extra_headers()]
        encoded = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
        self._exchange.send({"type": "http.response.start", "status": self._status, "headers": encoded})
