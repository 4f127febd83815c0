"""``wsgi.input``: the body of one request, as it comes from the wire.

The HTTP parser hands over frames as they arrive, through futures that it completes on a thread of its
own. A read waits for such a future with a time limit, so a client that stalls ends the read and frees
the request's thread. Raised, as sockets do: ``TimeoutError`` when no byte came for the time limit,
``ConnectionError`` when the body is cut (also a chunked one) or the server stops.
"""

from __future__ import annotations

import io
from queue import Empty, SimpleQueue
from typing import Any

from .exchange import Exchange, Future


class WireInput(io.BufferedIOBase):
    """The body as a binary file: ``read`` waits for all it was asked for, ``read1`` for one byte at least.

    ``length`` is the Content-Length, None for a chunked body, 0 for none. Nothing is asked of the
    client before the first read: that is when ``100 Continue`` goes out.
    """

    def __init__(self, exchange: Exchange, *, length: int | None, stall_seconds: float) -> None:
        self._exchange = exchange
        self._unreceived = length
        self._stall_seconds = stall_seconds
        self._arrivals: SimpleQueue[Future | None] = SimpleQueue()
        self._frame = b""
        self._position = 0
        self._failure: tuple[type[OSError], str] | None = None
        self.is_started = False
        self.is_complete = length == 0

    @property
    def unreceived(self) -> int | None:
        """Bytes that the client has still to send; None when the body is chunked and goes on."""
        return 0 if self.is_complete else self._unreceived

    @property
    def has_failed(self) -> bool:
        return self._failure is not None

    def abort(self) -> None:
        """End the read in progress and every later one with a ConnectionError. From any thread."""
        self._failure = self._failure or (ConnectionAbortedError, "the server is stopping")
        self._arrivals.put(None)

    def readable(self) -> bool:
        return True

    def read1(self, size: int | None = -1, /) -> bytes:
        frame = self._at_hand()
        start = self._position
        if size is None or size < 0 or size >= len(frame) - start:
            self._frame, self._position = b"", 0
            return frame[start:] if start else frame
        self._position = start + size
        return frame[start : self._position]

    def read(self, size: int | None = -1, /) -> bytes:
        wanted = -1 if size is None else size
        blocks: list[bytes] = []
        while wanted and (block := self.read1(wanted)):
            blocks.append(block)
            if wanted > 0:
                wanted -= len(block)
        return b"".join(blocks)

    def readline(self, size: int | None = -1, /) -> bytes:
        limit = -1 if size is None else size
        line = bytearray()
        while limit and (frame := self._at_hand()):
            found = frame.find(b"\n", self._position)
            end = len(frame) if found < 0 else found + 1
            wanted = end - self._position
            line += self.read1(wanted if limit < 0 else min(wanted, limit - len(line)))
            if line.endswith(b"\n") or len(line) == limit:
                break
        return bytes(line)

    def _at_hand(self) -> bytes:
        """The frame at hand, received when there is none; its unread part begins at ``_position``."""
        while self._position >= len(self._frame):
            if self._failure is not None:
                error, message = self._failure
                raise error(message)
            if self.is_complete:
                self._frame, self._position = b"", 0
                break
            self._frame, self._position = self._receive(), 0
        return self._frame

    def _receive(self) -> bytes:
        self.is_started = True
        future = self._exchange.receive()
        future.add_done_callback(self._arrivals.put)
        try:
            arrived = self._arrivals.get(timeout=self._stall_seconds)
        except Empty:
            self._failure = (TimeoutError, f"no byte of the body came for {self._stall_seconds:g} seconds")
            arrived = None
        if arrived is None:
            future.cancel()
            return b""
        return self._accept(arrived.result())

    def _accept(self, message: dict[str, Any]) -> bytes:
        if message["type"] != "http.request":
            self._failure = (ConnectionResetError, "the client cut the body short")
            return b""
        frame: bytes = message["body"]
        if self._unreceived is not None:
            self._unreceived -= len(frame)
        self.is_complete = self._unreceived == 0 or not message["more_body"]
        return frame
