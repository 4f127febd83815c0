"""The receive side: the raw body of a request as the S3 errors see it."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from uploads.s3.errors import IncompleteBody, RequestTimeout

_Argument = TypeVar("_Argument")
_Result = TypeVar("_Result")


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
        self._stream: Any = stream
        self._expected_bytes = expected_bytes
        self.received_bytes = 0

    @property
    def copied_by(self) -> str:
        """``server`` when it has the bytes in memory of its own first."""
        return "" if _reads_straight(type(self._stream)) else "server"

    def read(self, size: int, /) -> bytes:
        """At most ``size`` bytes, as soon as some came; ``b""`` is the end."""
        size = self._within(size)
        if size == 0:
            return b""
        block: bytes = _translated(getattr(self._stream, "read1", self._stream.read), size)
        self._count(len(block))
        return block

    def read_into(self, buffer: memoryview, /) -> int:
        """Receive into ``buffer`` what has come, one byte at least; how many, 0 at the end."""
        size = self._within(len(buffer))
        if size == 0:
            return 0
        room = buffer if size == len(buffer) else buffer[:size]
        count: int = _translated(getattr(self._stream, "readinto1", self._copy), room)
        self._count(count)
        return count

    def _copy(self, buffer: memoryview) -> int:
        block = getattr(self._stream, "read1", self._stream.read)(len(buffer))
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


def _translated(read: Callable[[_Argument], _Result], argument: _Argument) -> _Result:
    try:
        return read(argument)
    except TimeoutError as error:
        raise RequestTimeout from error
    except OSError as error:
        raise IncompleteBody from error


def _reads_straight(kind: type) -> bool:
    """``readinto1`` of ``BufferedIOBase`` itself reads bytes, and copies them."""
    return getattr(kind, "readinto1", None) not in (None, io.BufferedIOBase.readinto1)
