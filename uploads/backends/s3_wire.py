"""One HTTP/1.1 connection to an S3 upstream, for requests with a streamed body.

Everything that goes wrong on the wire is a ``WireFailure``; what the body raises passes untouched, after
the connection was closed, so the upstream never has the whole of a body that failed.
"""

from __future__ import annotations

import http.client
import ssl
import time
from collections.abc import Iterator
from typing import NamedTuple

from .s3_answer import Answer, read_answer
from .s3_channel import Block, Channel

# Middle boxes forget silent connections without telling; most do so after a minute or more.
IDLE_SECONDS = 30.0

WIRE_ERRORS = (OSError, http.client.HTTPException)
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


class Outgoing(NamedTuple):
    """A request. ``head`` ends with the empty line and says ``length``, the bytes of the body.

    ``is_repeatable``: it may be sent again although the upstream may have carried it out. ``is_patient``: its
    answer may take longer than the limit as long as something comes, such as spaces. ``is_head``: its answer
    has no body.
    """

    head: bytes
    length: int
    is_repeatable: bool
    is_patient: bool = False
    is_head: bool = False


class Connection:
    """One connection, used by one thread at a time."""

    __slots__ = ("_channel", "_idle_since", "_was_used", "is_reusable")

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._was_used = False
        self._idle_since = 0.0
        self.is_reusable = False

    def close(self) -> None:
        self._channel.close()

    def is_fresh(self) -> bool:
        """Nothing has come since the last answer: a readable idle socket was closed by the peer."""
        return time.monotonic() - self._idle_since < IDLE_SECONDS and not self._channel.has_news()

    def converse(self, request: Outgoing, first: Block, blocks: Iterator[Block]) -> Answer:
        """Raises Stale, WireFailure, ValueError for a body of another length, and what the body raises.

        ``blocks`` is asked for the next block when the one before is no longer needed: at the end, which
        is no block, only after the answer, since a stale connection has the first sent again.
        """
        self.is_reusable = False
        sent = len(first)
        is_whole = sent == request.length
        _require_length(request, sent, is_end=False)
        try:
            answer = self._send(request, (request.head, first), is_last=is_whole)
            if is_whole and answer is None:
                answer = self._receive(request)
        except WireFailure as failure:
            if self._was_used and failure.is_lost and (request.is_repeatable or not is_whole):
                raise Stale from failure
            raise
        if answer is None:
            answer, sent = self._stream(request, sent, blocks)
        if sent == request.length:
            _require_length(request, sent + len(next(blocks, b"")), is_end=True)
        return answer

    def _stream(self, request: Outgoing, sent: int, blocks: Iterator[Block]) -> tuple[Answer, int]:
        """Send the rest of the body. Returns the answer, and how much of the body it answers."""
        for block in blocks:
            sent += len(block)
            _require_length(request, sent, is_end=False)
            is_last = sent == request.length
            answer = self._send(request, (block,), is_last=is_last)
            if answer is not None:
                return answer, sent
            if is_last:
                break
        _require_length(request, sent, is_end=True)
        return self._receive(request), sent

    def _send(self, request: Outgoing, pieces: tuple[Block, ...], *, is_last: bool) -> Answer | None:
        """Returns the answer of an upstream that does not want to hear the rest. Where a readable socket
        does not mean that there is one, a failing send has to tell."""
        channel = self._channel
        try:
            channel.send(pieces)
        except _LOST as exc:
            return self._receive_early(request, exc)
        except WIRE_ERRORS as exc:
            raise WireFailure(exc) from exc
        if is_last or not channel.tells_early or not channel.has_news():
            return None
        return self._receive_early(request)

    def _receive_early(self, request: Outgoing, cause: Exception | None = None) -> Answer:
        """What the upstream said before it stopped listening; the connection is of no use afterwards."""
        try:
            answer = self._receive(request)
        except WireFailure as failure:
            raise WireFailure(cause or failure.cause) from failure
        finally:
            self.is_reusable = False
        if answer.status < 300:
            raise WireFailure(http.client.HTTPException(f"answered {answer.status} before the body's end"))
        return answer

    def _receive(self, request: Outgoing) -> Answer:
        try:
            receive = self._channel.receiver(is_patient=request.is_patient)
            answer = read_answer(receive, is_to_head=request.is_head)
        except WIRE_ERRORS as exc:
            raise WireFailure(exc) from exc
        self.is_reusable = not answer.is_last
        self._was_used = True
        self._idle_since = time.monotonic()
        return answer


def _require_length(request: Outgoing, size: int, *, is_end: bool) -> None:
    """A longer body would run into the next request, a shorter one leave the upstream waiting."""
    if size > request.length or (is_end and size < request.length):
        raise ValueError(f"the body promised {request.length} bytes and has others: {size}")
