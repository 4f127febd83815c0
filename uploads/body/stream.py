"""What flows between the server, the verifying body and a backend."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal, Protocol

from uploads.s3.headers import ChecksumAlgorithm

DigestAlgorithm = ChecksumAlgorithm | Literal["md5"]


class ByteSource(Protocol):
    """The raw body on the wire: ``wsgi.input`` as the server gives it.

    ``read_into(buffer)`` blocks for at least one byte and returns how many it put at the beginning of
    ``buffer``; 0 is the end. It raises ``RequestTimeout`` when the client stalled and ``IncompleteBody``
    when the connection broke.

    ``copied_by`` is who had to copy the bytes on their way into the buffer, empty when nobody.
    """

    @property
    def copied_by(self) -> str: ...

    def read_into(self, buffer: memoryview, /) -> int: ...


class Body(Protocol):
    """A body that a backend pulls: decoded, hashed while it flows, verified before its last bytes.

    ``length`` is the promised number of payload bytes, None when nobody promised one. Iterating yields
    non-empty blocks. **The last block is yielded only after everything the client claimed has been
    verified**; a false claim raises an S3Error instead, so whoever makes the object visible after exhausting
    the iterator can never show an unverified object, and whoever streams to a peer with a Content-Length can
    never complete it. Iterate once.

    **A block is valid until the next one, or the end, is asked for**: its memory is used again. Whoever wants
    bytes for longer copies them; whoever reads them on another thread has that finished before.
    """

    length: int | None

    def want(self, algorithm: DigestAlgorithm) -> None:
        """Ask, before iterating, that ``algorithm`` is computed too."""

    def __iter__(self) -> Iterator[memoryview]: ...

    @property
    def size(self) -> int:
        """Payload bytes seen so far; after the last block, of the whole body."""

    @property
    def digests(self) -> Mapping[DigestAlgorithm, bytes]:
        """Raw digests of the whole body, once iterated to the end."""
