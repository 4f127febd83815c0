"""One HTTP/1.1 connection to an S3 upstream, for requests with a streamed body.

Everything that goes wrong on the wire is a ``WireFailure``; what the body raises passes untouched, after
the connection was closed, so the upstream never has the whole of a body that failed.
"""

from __future__ import annotations

import http.client
import io
import select
import socket
import ssl
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

Block = bytes | bytearray | memoryview

ANSWER_BYTES = 256 * 1024
JOIN_BYTES = 64 * 1024
# Middle boxes forget silent connections without telling; most do so after a minute or more.
IDLE_SECONDS = 30.0

_WIRE_ERRORS = (OSError, http.client.HTTPException)
_LOST = (ConnectionError, ssl.SSLEOFError, ssl.SSLZeroReturnError)


class WireFailure(Exception):
    """The exchange failed; ``cause`` is the socket's, TLS's or http.client's exception."""

    def __init__(self, cause: Exception) -> None:
        super().__init__(cause)
        self.cause = cause

    @property
    def is_lost(self) -> bool:
        """The peer went away, as it does with a connection that was idle for too long."""
        return isinstance(self.cause, _LOST)


class Stale(Exception):
    """A kept-alive connection was dropped by the peer before it can have taken the request."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Scheme, host and port of a server."""

    is_tls: bool
    host: str
    port: int


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A request. ``head`` ends with the empty line and says ``length``, the bytes of the body.

    ``is_repeatable``: it may be sent again although the upstream may have carried it out.
    """

    method: str
    head: bytes = field(repr=False)
    length: int
    is_repeatable: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """A response. Header names are in lower case; the body is cut at ``ANSWER_BYTES``."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Timeouts:
    """``read_seconds`` is the time for a whole answer, and for the upstream to take one block."""

    connect_seconds: float
    read_seconds: float


def connect(origin: Origin, timeouts: Timeouts, tls: ssl.SSLContext) -> Connection:
    """A new connection. Raises WireFailure."""
    try:
        return Connection(_open(origin, timeouts, tls), timeouts.read_seconds)
    except _WIRE_ERRORS as exc:
        raise WireFailure(exc) from exc


def _open(origin: Origin, timeouts: Timeouts, tls: ssl.SSLContext) -> socket.socket:
    sock = socket.create_connection((origin.host, origin.port), timeouts.connect_seconds)
    try:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if origin.is_tls:
            sock = tls.wrap_socket(sock, server_hostname=origin.host)
        sock.settimeout(timeouts.read_seconds)
    except BaseException:
        sock.close()
        raise
    return sock


class Connection:
    """One connection, used by one thread at a time."""

    __slots__ = ("_idle_since", "_poll", "_seconds", "_sock", "_was_used", "is_reusable")

    def __init__(self, sock: socket.socket, seconds: float) -> None:
        self._sock = sock
        self._seconds = seconds
        self._poll = select.poll()
        self._poll.register(sock, select.POLLIN)
        self._was_used = False
        self._idle_since = 0.0
        self.is_reusable = False

    def close(self) -> None:
        self._sock.close()

    def is_fresh(self) -> bool:
        """Nothing has come since the last answer: a readable idle socket was closed by the peer."""
        return time.monotonic() - self._idle_since < IDLE_SECONDS and not self._poll.poll(0)

    def converse(self, request: Outgoing, first: Block, blocks: Iterator[Block]) -> Answer:
        """Raises Stale, WireFailure, ValueError for a body of another length, and what the body raises."""
        self.is_reusable = False
        _require_length(request, len(first), is_end=False)
        self._sock.settimeout(self._seconds)
        head = (b"".join((request.head, first)),) if len(first) <= JOIN_BYTES else (request.head, first)
        try:
            answer = self._send(request, len(first), *head)
            if answer is None and len(first) == request.length:
                _require_length(request, len(first) + len(next(blocks, b"")), is_end=True)
                answer = self._receive(request.method)
        except WireFailure as failure:
            is_whole = len(first) == request.length
            if self._was_used and failure.is_lost and (request.is_repeatable or not is_whole):
                raise Stale from failure
            raise
        return answer or self._stream(request, len(first), blocks)

    def _stream(self, request: Outgoing, sent: int, blocks: Iterator[Block]) -> Answer:
        """The rest of the body."""
        for block in blocks:
            sent += len(block)
            _require_length(request, sent, is_end=False)
            answer = self._send(request, sent, block)
            if answer is not None:
                return answer
        _require_length(request, sent, is_end=True)
        return self._receive(request.method)

    def _send(self, request: Outgoing, sent: int, *pieces: Block) -> Answer | None:
        """Send the pieces, after which ``sent`` bytes of the body are on their way.

        Returns the answer of an upstream that does not want to hear the rest. Under TLS a readable
        socket may only hold a session ticket, so there a failing send has to tell.
        """
        try:
            for piece in pieces:
                self._sock.sendall(piece)
        except _LOST as exc:
            return self._receive_early(request.method, exc)
        except _WIRE_ERRORS as exc:
            raise WireFailure(exc) from exc
        if sent < request.length and not isinstance(self._sock, ssl.SSLSocket) and self._poll.poll(0):
            return self._receive_early(request.method)
        return None

    def _receive_early(self, method: str, cause: Exception | None = None) -> Answer:
        """What the upstream said before it stopped listening; the connection is of no use afterwards."""
        try:
            answer = self._receive(method)
        except WireFailure as failure:
            raise WireFailure(cause or failure.cause) from failure
        finally:
            self.is_reusable = False
        if answer.status < 300:
            raise WireFailure(http.client.HTTPException(f"answered {answer.status} before the body's end"))
        return answer

    def _receive(self, method: str) -> Answer:
        source = cast(Any, _AnswerSource(self._sock, time.monotonic() + self._seconds))
        response = http.client.HTTPResponse(source, method=method)
        try:
            response.begin()
            body = response.read(ANSWER_BYTES)
            self.is_reusable = response.isclosed() and not response.will_close
        except (*_WIRE_ERRORS, ValueError) as exc:
            raise WireFailure(exc) from exc
        finally:
            response.close()
        self._was_used = True
        self._idle_since = time.monotonic()
        headers = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, headers, body)


def _require_length(request: Outgoing, size: int, *, is_end: bool) -> None:
    """A longer body would run into the next request, a shorter one leave the upstream waiting."""
    if size > request.length or (is_end and size < request.length):
        raise ValueError(f"the body promised {request.length} bytes and has others: {size}")


class _AnswerSource(io.RawIOBase):
    """The socket as http.client reads it, with a deadline for all reads together: an upstream that
    sends a byte now and then cannot hold a thread."""

    def __init__(self, sock: socket.socket, deadline: float) -> None:
        self._sock = sock
        self._deadline = deadline

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(self)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        remaining = self._deadline - time.monotonic()
        if remaining <= 0:
            raise TimeoutError("the answer did not come in time")
        self._sock.settimeout(remaining)
        return self._sock.recv_into(buffer)
