"""Connected sockets to an S3 upstream, plain and with TLS, with limits to how long a send or an answer takes.

A limit set on a Python socket costs a poll before each call and a system call when it is set. A plain
socket's is kept by the kernel instead, see SO_SNDTIMEO in socket(7); OpenSSL would try again for ever.
"""

from __future__ import annotations

import math
import select
import socket
import ssl
import struct
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

Block = bytes | bytearray | memoryview

JOIN_BYTES = 64 * 1024
_RECEIVE_BYTES = 16 * 1024


class Origin(NamedTuple):
    """Scheme, host and port of a server."""

    is_tls: bool
    host: str
    port: int


class Timeouts(NamedTuple):
    """``read_seconds`` is the time for a whole answer, and for the upstream to take one block."""

    connect_seconds: float
    read_seconds: float


class Channel(Protocol):
    """A connected socket, used by one thread at a time. Raises OSError, TimeoutError past a limit."""

    tells_early: bool
    """Whether ``has_news`` means that bytes of an answer have come, or the end."""

    def send(self, pieces: Sequence[Block]) -> None:
        """Hand all of them over, one after the other."""

    def receiver(self, *, is_patient: bool) -> Callable[[], bytes]:
        """A function that returns what comes next, ``b""`` at the end. The time runs from now on, for all of
        it; with ``is_patient`` anew whenever something has come."""

    def has_news(self) -> bool:
        """Something can be read, now."""

    def close(self) -> None: ...


def connect(origin: Origin, timeouts: Timeouts, tls: ssl.SSLContext | None) -> Channel:
    """A new connection. Raises OSError. Without ``tls`` there are none but plain ones."""
    sock = socket.create_connection((origin.host, origin.port), timeouts.connect_seconds)
    try:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if origin.is_tls:
            if tls is None:
                raise ssl.SSLError("the upstream's place has TLS, its configured endpoint has none")
            return _TlsChannel(tls.wrap_socket(sock, server_hostname=origin.host), timeouts.read_seconds)
        return _PlainChannel(sock, timeouts.read_seconds)
    except BaseException:
        sock.close()
        raise


class _Channel:
    """What both kinds have."""

    __slots__ = ("_poll", "_seconds", "_sock")

    def __init__(self, sock: socket.socket, seconds: float) -> None:
        self._sock = sock
        self._seconds = seconds
        self._poll = select.poll()
        self._poll.register(sock, select.POLLIN)

    def has_news(self) -> bool:
        return bool(self._poll.poll(0))

    def close(self) -> None:
        self._sock.close()

    def _remaining(self, deadline: float) -> float:
        remaining = deadline - time.monotonic()
        if remaining <= 0:
            raise TimeoutError("the upstream did not do it in time")
        return remaining


class _PlainChannel(_Channel):
    __slots__ = ()

    tells_early = True

    def __init__(self, sock: socket.socket, seconds: float) -> None:
        super().__init__(sock, seconds)
        sock.settimeout(None)
        limit = struct.pack("@ll", *divmod(math.ceil(seconds * 1_000_000), 1_000_000))
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)

    def send(self, pieces: Sequence[Block]) -> None:
        deadline = time.monotonic() + self._seconds
        size = sum(map(len, pieces))
        try:
            sent = self._sock.sendmsg(pieces)
            if sent < size:  # a signal, or the limit
                rest = memoryview(b"".join(pieces))[sent:]
                while rest:
                    self._remaining(deadline)
                    rest = rest[self._sock.send(rest) :]
        except BlockingIOError as exc:
            raise TimeoutError("the upstream did not take it in time") from exc

    def receiver(self, *, is_patient: bool) -> Callable[[], bytes]:
        deadline = time.monotonic() + self._seconds
        has_all_time = True

        def receive() -> bytes:
            nonlocal has_all_time
            try:
                # The kernel's limit is that of the whole answer, so right for the first piece only.
                if has_all_time or self._poll.poll(self._remaining(deadline) * 1000):
                    has_all_time = is_patient
                    return self._sock.recv(_RECEIVE_BYTES)
            except BlockingIOError:
                pass
            raise TimeoutError("the answer did not come in time")

        return receive


class _TlsChannel(_Channel):
    __slots__ = ()

    tells_early = False  # a session ticket can be read too

    def send(self, pieces: Sequence[Block]) -> None:
        self._sock.settimeout(self._seconds)
        if sum(map(len, pieces)) <= JOIN_BYTES:
            pieces = (b"".join(pieces),)
        for piece in pieces:
            self._sock.sendall(piece)

    def receiver(self, *, is_patient: bool) -> Callable[[], bytes]:
        deadline = time.monotonic() + self._seconds

        def receive() -> bytes:
            self._sock.settimeout(self._seconds if is_patient else self._remaining(deadline))
            return self._sock.recv(_RECEIVE_BYTES)

        return receive
