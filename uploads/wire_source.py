"""The receive side: the raw body of a request as the S3 errors see it."""

from __future__ import annotations

from typing import Protocol

from uploads.s3.errors import IncompleteBody, RequestTimeout


class BinaryInput(Protocol):
    """``wsgi.input``. A server that can, has ``read1`` too: it returns what came, one byte at least."""

    def read(self, size: int, /) -> bytes: ...


class WireSource:
    """A ByteSource over ``wsgi.input`` that never reads past the end of the request.

    ``expected_bytes`` is the Content-Length, None for a chunked body. The time limit on a client that
    stalls is the server's (``body_stall_seconds``): it raises ``TimeoutError``, here RequestTimeout. A
    connection that breaks and a body that ends early are IncompleteBody.
    """

    def __init__(self, stream: BinaryInput, *, expected_bytes: int | None) -> None:
        self._read = getattr(stream, "read1", stream.read)
        self._expected_bytes = expected_bytes
        self.received_bytes = 0

    def read(self, size: int, /) -> bytes:
        """At most ``size`` bytes, as soon as some came; ``b""`` is the end."""
        if self._expected_bytes is not None:
            size = min(size, self._expected_bytes - self.received_bytes)
        if size == 0:
            return b""
        block = self._receive(size)
        self.received_bytes += len(block)
        if not block and self._expected_bytes is not None:
            raise IncompleteBody
        return block

    def _receive(self, size: int) -> bytes:
        try:
            block: bytes = self._read(size)
        except TimeoutError as error:
            raise RequestTimeout from error
        except OSError as error:
            raise IncompleteBody from error
        return block
