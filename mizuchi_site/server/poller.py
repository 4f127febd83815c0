"""The connections of which no request runs: new ones, kept ones, half-sent heads, bodies that nobody wanted.

One thread watches them all, so a slow or idle client costs a few hundred bytes and no thread. It hands a
connection over once the head of a request is complete, and has it back when the answer is sent.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import select
import socket
import time
from collections.abc import Callable

from .connection import Connection

MAX_UNREAD_BYTES = 8 * 1024 * 1024
UNREAD_SECONDS = 3.0
_STOPPING_SECONDS = 0.3
_TICK_SECONDS = 1.0
_STOPPING_TICK_SECONDS = 0.05
_ARMED = select.EPOLLIN | select.EPOLLONESHOT
_NOT_OURS = frozenset({errno.EAGAIN, errno.ECONNABORTED, errno.EPROTO})

_logger = logging.getLogger(__name__)


class Poller:
    """Accepts on ``listener``, which it owns and closes, and calls ``take`` for each connection with a
    request; never more than ``max_connections`` are open, others wait in the kernel.

    A connection whose next request is not there after ``idle_seconds`` is closed.
    """

    def __init__(
        self,
        listener: socket.socket,
        *,
        max_connections: int,
        idle_seconds: float,
        take: Callable[[Connection], object],
    ) -> None:
        self._listener = listener
        self._max_connections = max_connections
        self._idle_seconds = idle_seconds
        self._take = take
        self._open: set[Connection] = set()
        self._waiting: dict[int, Connection] = {}
        self._is_full = False
        self._is_stopping = False
        self._next_tick = 0.0
        self._scratch = bytearray(64 * 1024)
        self._stop = os.eventfd(0)
        self._epoll = select.epoll()
        self._epoll.register(self._stop, select.EPOLLIN)
        self._epoll.register(listener, select.EPOLLIN)

    def run(self) -> None:
        """Until, after ``stop``, the last connection is closed."""
        while self._open or not self._is_stopping:
            for fd, _ in self._epoll.poll(self._patience()):
                if fd == self._stop:
                    self._begin_to_stop()
                elif connection := self._waiting.pop(fd, None):
                    self._attend(connection)
                elif not self._is_stopping:
                    self._accept()
            if time.monotonic() >= self._next_tick:
                self._tick()

    def stop(self) -> None:
        """Accept no more, close connections that wait for a request, let the others finish theirs. From
        any thread."""
        os.eventfd_write(self._stop, 1)

    def keep(self, connection: Connection, unread_bytes: int) -> None:
        """Drop ``unread_bytes`` that are on their way, then wait for the next request. From any thread."""
        connection.unwanted_bytes = unread_bytes
        connection.deadline = time.monotonic() + (UNREAD_SECONDS if unread_bytes else self._idle_seconds)
        self._arm(connection)

    def end(self, connection: Connection) -> None:
        """Close a connection whose client may still be sending: drop that for a while, because a reset
        would take the answer from it. From any thread."""
        connection.end_writing()
        connection.is_ending = True
        self.keep(connection, MAX_UNREAD_BYTES)

    def _patience(self) -> float:
        if not self._open:
            return -1
        return _STOPPING_TICK_SECONDS if self._is_stopping else _TICK_SECONDS

    def _accept(self) -> None:
        try:
            accepted, address = self._listener.accept()
        except OSError as error:
            if error.errno not in _NOT_OURS:
                _logger.warning("Cannot accept a connection: %s", error)
                time.sleep(_STOPPING_TICK_SECONDS)
            return
        connection = Connection(accepted, address[:2], on_close=self._forget)
        self._open.add(connection)
        connection.deadline = time.monotonic() + self._idle_seconds
        self._waiting[accepted.fileno()] = connection
        self._epoll.register(accepted, _ARMED)
        if len(self._open) >= self._max_connections:
            self._pause()

    def _pause(self) -> None:
        self._epoll.modify(self._listener, 0)
        self._is_full = True
        if len(self._open) < self._max_connections:  # one closed meanwhile, and saw no need to resume
            self._resume()

    def _resume(self) -> None:
        self._is_full = False
        with contextlib.suppress(OSError, ValueError):  # stopped meanwhile
            self._epoll.modify(self._listener, select.EPOLLIN)

    def _forget(self, connection: Connection) -> None:
        self._open.discard(connection)
        if self._is_full:
            self._resume()

    def _arm(self, connection: Connection) -> None:
        fd = connection.fileno()
        self._waiting[fd] = connection
        self._epoll.modify(fd, _ARMED)

    def _attend(self, connection: Connection) -> None:
        try:
            is_open = self._drop(connection) if connection.unwanted_bytes else connection.receive(waits=False)
        except BlockingIOError:
            is_open = True
        except OSError:
            is_open = False
        if not is_open:
            connection.close()
        elif not connection.unwanted_bytes and connection.has_head():
            self._take(connection)
        else:
            self._arm(connection)

    def _drop(self, connection: Connection) -> bool:
        """Receive some of what nobody wants; False when the connection ended or is to end."""
        size = min(len(self._scratch), connection.unwanted_bytes)
        count = connection.socket.recv_into(self._scratch, size, socket.MSG_DONTWAIT)
        connection.unwanted_bytes -= count
        if connection.unwanted_bytes == 0:
            connection.deadline = time.monotonic() + self._idle_seconds
            return not connection.is_ending
        return count > 0

    def _tick(self) -> None:
        """Close what waited too long; when stopping, all that waits for a request."""
        now = time.monotonic()
        self._next_tick = now + (_STOPPING_TICK_SECONDS if self._is_stopping else _TICK_SECONDS)
        for fd, connection in list(self._waiting.items()):
            if self._is_over(connection, now) and self._waiting.pop(fd, None) is not None:
                connection.close()

    def _is_over(self, connection: Connection, now: float) -> bool:
        if self._is_stopping:
            connection.deadline = min(connection.deadline, now + _STOPPING_SECONDS)
        return connection.deadline <= now or (self._is_stopping and not connection.unwanted_bytes)

    def _begin_to_stop(self) -> None:
        self._is_stopping = True
        self._next_tick = 0.0
        self._epoll.unregister(self._stop)
        self._epoll.unregister(self._listener)  # other processes have it too: closing would not end the watch
        self._listener.close()
