"""Kept-alive connections to an S3 upstream, bounded in number."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from queue import Empty, SimpleQueue

from .s3_answer import Answer
from .s3_channel import Block, Origin, Timeouts, connect
from .s3_wire import WIRE_ERRORS, Connection, Outgoing, Stale, WireFailure


class NoConnectionFree(WireFailure):
    """All connections are in use and none came back in time."""


class ConnectionPool:
    """Connections to the origins of one upstream, at most ``size`` in use at a time. Thread-safe."""

    def __init__(self, size: int, timeouts: Timeouts, tls: ssl.SSLContext | None) -> None:
        self._timeouts = timeouts
        self._tls = tls
        # A token for each that may be in use. threading's semaphore is Python code around two locks.
        self._slots: SimpleQueue[None] = SimpleQueue()
        for _ in range(size):
            self._slots.put(None)
        self._idle: dict[Origin, list[Connection]] = {}

    def exchange(self, origin: Origin, request: Outgoing, blocks: Iterator[Block]) -> Answer:
        """Send the request with the blocks as its body and return the answer. Raises WireFailure.

        The first block is pulled before a connection is taken, the rest while it is sent. A kept-alive
        connection that turns out dropped while that block is all there was is replaced once.
        """
        first = next(blocks, b"")
        try:
            self._slots.get(timeout=self._timeouts.connect_seconds)
        except Empty:
            raise NoConnectionFree(TimeoutError("all connections to the upstream are in use")) from None
        try:
            kept = self._take(origin)
            if kept is not None:
                try:
                    return self._converse(origin, kept, request, first, blocks)
                except Stale:
                    pass
            return self._converse(origin, self._connect(origin), request, first, blocks)
        finally:
            self._slots.put(None)

    def close(self) -> None:
        """Close the idle connections."""
        while self._idle:
            for connection in self._idle.popitem()[1]:
                connection.close()

    def _connect(self, origin: Origin) -> Connection:
        try:
            return Connection(connect(origin, self._timeouts, self._tls))
        except WIRE_ERRORS as exc:
            raise WireFailure(exc) from exc

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
