"""The receive side: the raw body of a request as the S3 errors see it."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Protocol

from uploads.s3.errors import IncompleteBody, RequestTimeout, S3Error


class BinaryInput(Protocol):
    """``wsgi.input``. A server that can, has ``read1`` and ``readinto1``, too: they take what came, one byte
    at least."""

    def read(self, size: int, /) -> bytes: ...


class WireSource:
    """A ByteSource over ``wsgi.input`` that never reads past the end of the request.

    ``expected_bytes`` is the Content-Length, None for a chunked body. The time limit on a client that
    stalls is the server's (``body_stall_seconds``): it raises ``TimeoutError``, here RequestTimeout. A
    connection that breaks and a body that ends early are IncompleteBody.
    """

    def __init__(self, stream: BinaryInput, *, expected_bytes: int | None) -> None:
        self._kind = type(stream)
        self._read1: Callable[[int], bytes] = getattr(stream, "read1", stream.read)
        self._readinto1: Callable[[memoryview], int] | None = getattr(stream, "readinto1", None)
        self._expected_bytes = expected_bytes
        self.received_bytes = 0

    @property
    def copied_by(self) -> str:
        """``server`` when it has the bytes in memory of its own first."""
        return "" if _reads_straight(self._kind) else "server"

    def read(self, size: int, /) -> bytes:
        """At most ``size`` bytes, as soon as some came; ``b""`` is the end."""
        block = b""
        if size := self._within(size):
            try:
                block = self._read1(size)
            except OSError as error:
                raise _s3_error(error) from error
            self._count(len(block))
        return block

    def read_into(self, buffer: memoryview, /) -> int:
        """Receive into ``buffer`` what has come, one byte at least; how many, 0 at the end."""
        expected = self._expected_bytes
        if expected is not None and len(buffer) > expected - self.received_bytes:
            buffer = buffer[: expected - self.received_bytes]
        if not buffer:
            return 0
        try:
            count = (self._readinto1 or self._copy)(buffer)
        except OSError as error:
            raise _s3_error(error) from error
        self._count(count)
        return count

    def _copy(self, buffer: memoryview) -> int:
        block = self._read1(len(buffer))
        buffer[: len(block)] = block
        return len(block)

    def _within(self, size: int) -> int:
        if self._expected_bytes is None:
            return size
        return min(size, self._expected_bytes - self.received_bytes)

    def _count(self, received: int) -> None:
        self.received_bytes += received
        if not received and self._expected_bytes is not None:
            raise IncompleteBody


def _s3_error(error: OSError) -> S3Error:
    return RequestTimeout() if isinstance(error, TimeoutError) else IncompleteBody()


def _reads_straight(kind: type) -> bool:
    """``readinto1`` of ``BufferedIOBase`` itself reads bytes, and copies them."""
    return getattr(kind, "readinto1", None) not in (None, io.BufferedIOBase.readinto1)
