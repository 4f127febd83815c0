"""HTTP connections on which a whole exchange keeps one deadline, however slowly the peer drips its bytes."""

from __future__ import annotations

import io
import select
import socket
import ssl
import time
from http.client import HTTPConnection
from typing import TYPE_CHECKING

from .lookup import Address, look_up

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer


class Deadline:
    """A moment that a number of steps must end by."""

    __slots__ = ("_ends",)

    def __init__(self, seconds: float) -> None:
        self._ends = time.monotonic() + seconds

    def remaining(self) -> float:
        """Seconds left. Raises TimeoutError when none are."""
        left = self._ends - time.monotonic()
        if left <= 0:
            raise TimeoutError("deadline")
        return left


class DeadlineSocket:
    """What ``http.client`` uses of a socket. Its owner closes ``sock``: a response may still be read."""

    def __init__(self, sock: socket.socket, deadline: Deadline) -> None:
        self.sock = sock
        self.deadline = deadline

    def sendall(self, data: ReadableBuffer) -> None:
        view = memoryview(data)
        while view:
            self.sock.settimeout(self.deadline.remaining())
            view = view[self.sock.send(view) :]

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(_Reader(self))

    def close(self) -> None:
        """See the class."""


class _Reader(io.RawIOBase):
    def __init__(self, owner: DeadlineSocket) -> None:
        self._owner = owner

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        self._owner.sock.settimeout(self._owner.deadline.remaining())
        return self._owner.sock.recv_into(buffer)


class DeadlineConnection(HTTPConnection):
    """A connection whose steps, connecting included, end by ``deadline``, which is set before each exchange.

    With a ``context`` it is TLS. Raises OSError and HTTPException, as ``http.client`` does.
    """

    def __init__(self, host: str, port: int, context: ssl.SSLContext | None) -> None:
        super().__init__(host, port)
        self._context = context
        self._real: socket.socket | None = None
        self.deadline = Deadline(0)

    def connect(self) -> None:
        self._real = connected(look_up(self.host, self.port, self.deadline.remaining()), self.deadline)
        self._real.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._context:
            self._real.settimeout(self.deadline.remaining())
            self._real = self._context.wrap_socket(self._real, server_hostname=self.host)
        self.sock = DeadlineSocket(self._real, self.deadline)

    def request(self, *args: object, **kwargs: object) -> None:
        if isinstance(self.sock, DeadlineSocket):
            self.sock.deadline = self.deadline
        super().request(*args, **kwargs)  # type: ignore[arg-type]

    def is_stale(self) -> bool:
        """Whether the peer closed it meanwhile: an idle connection has nothing to read but its end."""
        if self._real is None:
            return True
        poll = select.poll()
        poll.register(self._real, select.POLLIN)
        return bool(poll.poll(0))

    def discard(self) -> None:
        """Close it, an unread answer included."""
        self.close()
        if self._real:
            self._real.close()
        self._real = None


def connected(addresses: list[Address], deadline: Deadline) -> socket.socket:
    """Connect to the first that answers; each has its share of the time that is left. Raises OSError."""
    for left in range(len(addresses), 0, -1):
        family, kind, protocol, _, address = addresses[-left]
        sock = socket.socket(family, kind, protocol)
        try:
            sock.settimeout(deadline.remaining() / left)
            sock.connect(address)
        except OSError:
            sock.close()
            if left == 1:
                raise
        else:
            return sock
    raise OSError("no address to connect to")
