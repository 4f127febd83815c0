"""What flows between the server, the verifying body and a backend."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal, Protocol

from uploads.s3.headers import ChecksumAlgorithm

DigestAlgorithm = ChecksumAlgorithm | Literal["md5"]


class ByteSource(Protocol):
    """The raw body on the wire: ``wsgi.input`` as the server gives it.

    ``read(size)`` blocks for at least one byte and returns at most ``size``; ``b""`` is the end. It raises
    ``RequestTimeout`` when the client stalled and ``IncompleteBody`` when the connection broke.
    """

    def read(self, size: int, /) -> bytes: ...


class Body(Protocol):
    """A body that a backend pulls: decoded, hashed while it flows, verified before its last bytes.

    ``length`` is the promised number of payload bytes, None when nobody promised one. Iterating yields
    non-empty blocks of at most ``block_bytes``. **The last block is yielded only after everything the
    client claimed has been verified**; a false claim raises an S3Error instead, so whoever makes the
    object visible after exhausting the iterator can never show an unverified object, and whoever
    streams to a peer with a Content-Length can never complete it. Iterate once.
    """

    length: int | None
    block_bytes: int

    def want(self, algorithm: DigestAlgorithm) -> None:
        """Ask, before iterating, that ``algorithm`` is computed too."""

    def __iter__(self) -> Iterator[bytes | memoryview]: ...

    @property
    def size(self) -> int:
        """Payload bytes seen so far; after the last block, of the whole body."""

    @property
    def digests(self) -> Mapping[DigestAlgorithm, bytes]:
        """Raw digests of the whole body, once iterated to the end."""
