"""Requests of one connection, one after the other, on a request thread."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from functools import partial
from http import HTTPStatus
from typing import Any

from .connection import Connection
from .core import Core
from .environ import Address, build_environ
from .poller import MAX_UNREAD_BYTES, Poller
from .request_body import RequestBody
from .request_head import BadRequestError, RequestHead, parse_head
from .response import ClientGoneError, Response, encode_head

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

HOLD_SECONDS = 0.02
_BIG_BODY_BYTES = 4 * 1024 * 1024  # to go to another core and come back is not worth it for less

_logger = logging.getLogger(__name__)


class RequestRunner:
    """Calls ``application`` for the requests of a connection.

    A thread that answered holds the connection for a moment: a busy client sends its next request within
    it, and no other thread has to wake up for that. At most ``max_held`` threads wait so.
    """

    def __init__(
        self,
        application: Application,
        poller: Poller,
        *,
        server: Address,
        stall_seconds: float,
        max_held: int,
        is_draining: Callable[[], bool],
        others_wait: Callable[[], bool],
        core: Core | None,
    ) -> None:
        """``core`` is the one that request threads keep to, if they do. ``others_wait``: there are
        connections with a request and no thread."""
        self._application = application
        self._poller = poller
        self._server = server
        self._stall_seconds = stall_seconds
        self._max_held = max_held
        self._is_draining = is_draining
        self._others_wait = others_wait
        self._core = core
        self._held: set[Connection] = set()
        self._bodies: set[RequestBody] = set()

    def __call__(self, connection: Connection) -> Connection | None:
        """Run the request whose head is there, and what follows without delay. Returns the connection when
        its next request came already, but others wait longer."""
        try:
            while self._run_request(connection):
                if connection.has_head():
                    if self._others_wait():
                        return connection
                elif self._others_wait() or not self._comes_soon(connection):
                    self._poller.keep(connection, 0)
                    break
        except OSError:  # between two requests
            connection.close()
        except Exception:
            _logger.exception("A request failed outside the application")
            connection.close()
        return None

    def abort(self) -> None:
        """Break the body of every request that runs, so that each can clean up and answer."""
        for body in tuple(self._bodies):
            body.abort()

    def _run_request(self, connection: Connection) -> bool:
        """Whether the connection is still ours, ready for its next request."""
        try:
            head = parse_head(connection.take_head())
        except BadRequestError as error:
            self._refuse(connection, error.status)
            return False
        body = RequestBody(
            connection,
            head.body_bytes,
            awaits_continue=head.awaits_continue,
            stall_seconds=self._stall_seconds,
        )
        response = Response(connection, head, partial(self._may_keep, body))
        self._bodies.add(body)
        away_from = self._core if head.body_bytes is None or head.body_bytes > _BIG_BODY_BYTES else None
        if away_from:
            away_from.leave()
        try:
            self._call(build_environ(head, body, server=self._server, peer=connection.peer), response)
        except ClientGoneError:
            _logger.info("%s: the client left", head.method)
            connection.close()
            return False
        finally:
            self._bodies.discard(body)
            if away_from:
                away_from.come_back()
        return self._go_on(connection, head, body, response)

    def _call(self, environ: dict[str, Any], response: Response) -> None:
        try:
            response.send(self._application(environ, response.start))
        except ClientGoneError:
            raise
        except Exception:
            _logger.exception("%s failed", environ["REQUEST_METHOD"])
            response.fail()

    def _may_keep(self, body: RequestBody) -> bool:
        """What the answer says of the connection."""
        return not self._is_draining() and self._ends_soon(body)

    @staticmethod
    def _ends_soon(body: RequestBody) -> bool:
        """Whether the next request can be found: behind the body."""
        if body.has_failed or body.unread_bytes is None:
            return False
        return body.unread_bytes == 0 or (not body.awaits_continue and body.unread_bytes <= MAX_UNREAD_BYTES)

    def _go_on(
        self, connection: Connection, head: RequestHead, body: RequestBody, response: Response
    ) -> bool:
        # What the answer said holds, also when the worker is to stop since: the next request is answered.
        unread = body.unread_bytes
        if not (response.keeps_connection and unread is not None and self._ends_soon(body)):
            if head.keeps_connection or unread != 0 or connection.received:
                self._poller.end(connection)
            else:
                connection.close()
            return False
        left = connection.drop(unread)
        if left:
            self._poller.keep(connection, left)
        return not left

    def _comes_soon(self, connection: Connection) -> bool:
        """Whether the next request comes while a thread can be spared to wait for it."""
        if len(self._held) >= self._max_held:
            return False
        self._held.add(connection)
        try:
            return (
                connection.wait_readable(HOLD_SECONDS) and connection.receive() > 0 and connection.has_head()
            )
        finally:
            self._held.discard(connection)

    def _refuse(self, connection: Connection, status: HTTPStatus) -> None:
        _logger.info("A request that is none was refused: %d %s", status, status.phrase)
        headers = [("content-length", "0"), ("connection", "close")]
        connection.socket.sendall(encode_head(f"{status} {status.phrase}", headers))
        self._poller.end(connection)
