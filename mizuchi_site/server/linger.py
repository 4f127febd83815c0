"""What a client sends after it was refused: received and dropped, within bounds, before the answer.

The HTTP machinery closes a connection when it answers while the body is unread. That resets a client which
is still writing, and one that writes its whole body before it reads reports a broken pipe instead of
the refusal. So the rest of the body is received first, until it ends, ``MAX_BYTES`` came or
``MAX_SECONDS`` passed. No thread waits for it: each frame that arrives asks for the next.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable
from queue import SimpleQueue

from .exchange import Exchange, Future

MAX_BYTES = 8 * 1024 * 1024
MAX_SECONDS = 3.0

_logger = logging.getLogger(__name__)


class Linger:
    """Drops unread bodies. Each has the same time, so one thread that takes them in order ends them all."""

    def __init__(self, *, max_bytes: int = MAX_BYTES, max_seconds: float = MAX_SECONDS) -> None:
        self.max_bytes = max_bytes
        self._max_seconds = max_seconds
        self._started: SimpleQueue[tuple[float, _UnreadBody]] = SimpleQueue()
        threading.Thread(target=self._end_overdue, name="linger", daemon=True).start()

    def drop(self, exchange: Exchange, *, answer: Callable[[], None]) -> None:
        """Receive the rest of the body, call ``answer``, release the exchange. Returns at once."""
        body = _UnreadBody(exchange, self.max_bytes, answer)
        self._started.put((time.monotonic() + self._max_seconds, body))
        body.receive()

    def _end_overdue(self) -> None:
        while True:
            deadline, body = self._started.get()
            time.sleep(max(0.0, deadline - time.monotonic()))
            body.end()


class _UnreadBody:
    """One body on its way to nowhere."""

    def __init__(self, exchange: Exchange, max_bytes: int, answer: Callable[[], None]) -> None:
        self._exchange = exchange
        self._allowance = max_bytes
        self._answer = answer
        self._future: Future | None = None
        self._is_ended = threading.Lock()  # taken once, by whichever thread ends it

    def receive(self) -> None:
        with contextlib.suppress(ConnectionAbortedError):  # ended meanwhile
            self._future = self._exchange.receive()
            self._future.add_done_callback(self._received)

    def end(self) -> None:
        """Answer and release, once. From any thread."""
        if not self._is_ended.acquire(blocking=False):
            return
        if self._future is not None and not self._future.done():
            self._future.cancel()
        self._future = None
        try:
            self._answer()
        except Exception:
            _logger.exception("A refusal could not be sent")
        finally:
            self._exchange.release()

    def _received(self, future: Future) -> None:
        if self._is_ended.locked():
            return
        message = future.result()
        self._allowance -= len(message.get("body", b""))
        if message.get("more_body") and self._allowance > 0:
            self.receive()
        else:
            self.end()
