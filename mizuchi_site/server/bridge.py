"""Runs a WSGI application on granian's ASGI machinery, without an event loop.

granian's own WSGI interface hides what an upload needs: a read blocks until all it asked for came, so a
stalled client holds a thread for ever; a chunked body that is cut ends as if it were whole; the path
and header bytes are lost. Its ASGI interface has all of these, and its futures are content with a "loop"
that calls back at once. So each request runs on a thread of ours and waits for futures there.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import Any

from .environ import body_length, build_environ
from .exchange import Exchange, Watcher
from .linger import Linger
from .response import ClientGoneError, Headers, Response
from .threads import RequestThreads
from .wire import WireInput

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

_logger = logging.getLogger(__name__)
_CLOSE: Headers = [("connection", "close")]


class RequestBridge:
    """Calls ``application`` for every request that granian hands over, on ``threads`` threads."""

    def __init__(
        self,
        application: Application,
        *,
        threads: int,
        stall_seconds: float,
        is_draining: Callable[[], bool],
        linger: Linger,
    ) -> None:
        self._application = application
        self._stall_seconds = stall_seconds
        self._is_draining = is_draining
        self._linger = linger
        self._threads: RequestThreads[Exchange] = RequestThreads(threads, self._handle)
        self._bodies: set[WireInput] = set()

    def __call__(self, watcher: Watcher) -> None:
        """Take a request. Called by granian, on one thread of its own; returns at once."""
        self._threads.submit(Exchange(watcher))

    @property
    def is_idle(self) -> bool:
        """True when no request runs or waits."""
        return not self._bodies and not self._threads.waiting

    def abort(self) -> None:
        """Break the body of every request that runs, so that each can clean up and answer."""
        for body in tuple(self._bodies):
            body.abort()

    def _handle(self, exchange: Exchange) -> None:
        try:
            self._run(build_environ(exchange.scope), exchange)
        except Exception:
            _logger.exception("A request failed outside the application")
            exchange.release()

    def _run(self, environ: dict[str, Any], exchange: Exchange) -> None:
        body = WireInput(exchange, length=body_length(environ), stall_seconds=self._stall_seconds)
        environ["wsgi.input"] = body
        response = Response(
            exchange, extra_headers=lambda: self._connection(body), stall_seconds=self._stall_seconds
        )
        self._bodies.add(body)
        try:
            self._call(environ, response)
        finally:
            self._bodies.discard(body)
        awaits_continue = environ.get("HTTP_EXPECT", "").lower() == "100-continue" and not body.is_started
        if response.is_sent or awaits_continue or not self._is_worth_waiting_for(body):
            response.finish()
            exchange.release()
        else:
            self._linger.drop(exchange, answer=response.finish)

    def _call(self, environ: dict[str, Any], response: Response) -> None:
        try:
            response.take(self._application(environ, response.start))
        except ClientGoneError:
            _logger.info("%s: the client left", environ["REQUEST_METHOD"])
        except Exception:
            _logger.exception("%s failed", environ["REQUEST_METHOD"])
            response.fail()

    def _connection(self, body: WireInput) -> Headers:
        return _CLOSE if self._is_draining() or body.has_failed else []

    def _is_worth_waiting_for(self, body: WireInput) -> bool:
        """A body that nobody wanted is still on its way, and not known to be too long to wait for."""
        if body.is_complete or body.has_failed:
            return False
        return body.unreceived is None or body.unreceived <= self._linger.max_bytes
