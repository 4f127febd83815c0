"""Kept-alive connections to an S3 upstream, bounded in number."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from threading import BoundedSemaphore

from .s3_wire import Answer, Block, Connection, Origin, Outgoing, Stale, Timeouts, WireFailure, connect


class NoConnectionFree(WireFailure):
    """All connections are in use and none came back in time."""


class ConnectionPool:
    """Connections to the origins of one upstream, at most ``size`` in use at a time. Thread-safe."""

    def __init__(self, size: int, timeouts: Timeouts, tls: ssl.SSLContext) -> None:
        self._timeouts = timeouts
        self._tls = tls
        self._slots = BoundedSemaphore(size)
        self._idle: dict[Origin, list[Connection]] = {}

    def exchange(self, origin: Origin, request: Outgoing, blocks: Iterator[Block]) -> Answer:
        """Send the request with the blocks as its body and return the answer. Raises WireFailure.

        The first block is pulled before a connection is taken, the rest while it is sent. A kept-alive
        connection that turns out dropped while that block is all there was is replaced once.
        """
        first = next(blocks, b"")
        if not self._slots.acquire(timeout=self._timeouts.connect_seconds):
            raise NoConnectionFree(TimeoutError("all connections to the upstream are in use"))
        try:
            return self._exchange(origin, request, first, blocks)
        finally:
            self._slots.release()

    def close(self) -> None:
        """Close the idle connections."""
        while self._idle:
            for connection in self._idle.popitem()[1]:
                connection.close()

    def _exchange(self, origin: Origin, request: Outgoing, first: Block, blocks: Iterator[Block]) -> Answer:
        kept = self._take(origin)
        if kept is not None:
            try:
                return self._converse(origin, kept, request, first, blocks)
            except Stale:
                pass
        return self._converse(origin, connect(origin, self._timeouts, self._tls), request, first, blocks)

    def _converse(
        self,
        origin: Origin,
        connection: Connection,
        request: Outgoing,
        first: Block,
        blocks: Iterator[Block],
    ) -> Answer:
        answer = None
        try:
            answer = connection.converse(request, first, blocks)
        finally:
            if answer is None or not connection.is_reusable:
                connection.close()
            else:
                self._idle.setdefault(origin, []).append(connection)
        return answer

    def _take(self, origin: Origin) -> Connection | None:
        """The kept-alive connection used last, the likeliest to live. Dropped ones are closed."""
        idle = self._idle.get(origin, [])
        while True:
            try:
                connection = idle.pop()
            except IndexError:
                return None
            if connection.is_fresh():
                return connection
            connection.close()
