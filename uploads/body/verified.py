"""A body that is decoded and hashed while a backend pulls it, and verified before its last block."""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType

from authz.sigv4.proof import PayloadProof, Sha256Digest, SignedChunks, UnsignedTrailer
from uploads.s3.errors import (
    BadDigest,
    EntityTooLarge,
    IncompleteBody,
    InvalidTrailer,
    MissingContentLength,
    S3Error,
    XAmzContentSHA256Mismatch,
)
from uploads.s3.headers import ChecksumAlgorithm, ExpectedDigests

from . import checksums
from .aws_chunked import AwsChunkedDecoder, ChunkLimits, Data, Trailer
from .digesting import StreamDigests
from .stream import ByteSource, DigestAlgorithm
from .timed import Timeline

_BLOCK_BYTES = 256 * 1024
_NO_DIGESTS: Mapping[DigestAlgorithm, bytes] = MappingProxyType({})


class VerifiedBody:
    """The ``Body`` of one request. Every block but the last has ``block_bytes`` bytes.

    ``wire_length`` is the Content-Length; nothing is read past it. None means that the source itself
    knows its end (chunked transfer-encoding); with ``is_end_certain`` it raises when that end was cut off,
    instead of ending there. ``payload_length`` is that of the object or part, None when
    not promised. Blocks are never written to again, so they may be kept.

    Iterating raises, besides what ``source`` raises: IncompleteBody (fewer or more bytes than promised),
    EntityTooLarge (as soon as ``max_bytes`` is passed), BadDigest, XAmzContentSHA256Mismatch, InvalidDigest,
    and what AwsChunkedDecoder raises. ``timeline`` notes when and how long, ``verified`` is whether
    everything claimed was found true.
    """

    def __init__(
        self,
        source: ByteSource,
        *,
        proof: PayloadProof,
        expected: ExpectedDigests,
        wire_length: int | None,
        payload_length: int | None,
        max_bytes: int,
        is_end_certain: bool = False,
        block_bytes: int = _BLOCK_BYTES,
    ) -> None:
        """Raises MissingContentLength when nothing would tell a truncated body from a whole one, and
        InvalidTrailer when a trailer was announced that this kind of body cannot have."""
        self._decoder = _decoder_for(proof, expected.trailer, payload_length)
        if self._decoder is None and payload_length is None:
            payload_length = wire_length
        self._claims = _Claims(proof, expected)
        is_certain = is_end_certain or payload_length is not None or self._decoder is not None
        if not is_certain and not self._claims.algorithms():
            raise MissingContentLength
        self.length = payload_length
        self.block_bytes = block_bytes
        self.timeline = Timeline()
        self.verified = False
        self._source = source
        self._wire_remaining = wire_length
        self._max_bytes = max_bytes
        self._algorithms: set[DigestAlgorithm] = set(self._claims.algorithms())
        self._digests = _NO_DIGESTS
        self._size = 0
        self._is_started = False

    @property
    def size(self) -> int:
        """Payload bytes received so far."""
        return self._size

    @property
    def digests(self) -> Mapping[DigestAlgorithm, bytes]:
        """Raw digests of the whole body, claimed or wanted; empty before it was verified."""
        return self._digests

    def want(self, algorithm: DigestAlgorithm) -> None:
        """Compute ``algorithm`` too; raises RuntimeError once iteration has begun."""
        self._require_fresh()
        self._algorithms.add(algorithm)

    def __iter__(self) -> Iterator[bytes | memoryview]:
        self._require_fresh()
        self._is_started = True
        return self._verified_blocks()

    def _require_fresh(self) -> None:
        if self._is_started:
            raise RuntimeError("the body is already being read, and it can be read only once")

    def _verified_blocks(self) -> Iterator[bytes | memoryview]:
        with StreamDigests(self._algorithms, self.length) as digests:
            held = None
            for block in self._blocks():
                digests.update(block)
                if held is not None:
                    yield held
                held = block
            self._verify(digests)
        if held is not None:
            yield held

    def _verify(self, digests: StreamDigests) -> None:
        if self.length is not None and self._size != self.length:
            raise IncompleteBody
        computed = digests.finish()
        self._claims.verify(computed)
        self._digests = computed
        self.verified = True
        self.timeline.verified()

    def _blocks(self) -> Iterator[bytes | memoryview]:
        gathered = _Gathered(self.block_bytes)
        while wire := self._receive(self.block_bytes if self._decoder else gathered.room):
            for piece in self._payload(wire):
                self._count(len(piece))
                yield from gathered.add(piece)
        if self._wire_remaining:
            raise IncompleteBody
        self.timeline.received()
        if self._decoder:
            self._decoder.feed(b"")
        yield from gathered.rest()

    def _receive(self, size: int) -> bytes:
        if self._wire_remaining is not None:
            size = min(size, self._wire_remaining)
        if not size:
            return b""
        wire = self.timeline.read(self._source, size)
        if self._wire_remaining is not None:
            self._wire_remaining -= len(wire)
        return wire

    def _payload(self, wire: bytes) -> Iterable[bytes | memoryview]:
        if self._decoder is None:
            yield wire
            return
        for event in self._decoder.feed(wire):
            if isinstance(event, Data):
                yield event.data
            elif isinstance(event, Trailer):
                self._claims.add_trailer(event.value)

    def _count(self, received: int) -> None:
        self._size += received
        if self._size > self._max_bytes:
            raise EntityTooLarge
        if self.length is not None and self._size > self.length:
            raise IncompleteBody


class _Gathered:
    """Pieces made into blocks of one size; a piece that is a whole block passes uncopied."""

    # Many tiny pieces would each keep the buffer alive that they are a view of.
    _MAX_PIECES = 64

    def __init__(self, block_bytes: int) -> None:
        self.room = block_bytes
        self._block_bytes = block_bytes
        self._pieces: list[bytes | memoryview] = []

    def add(self, piece: bytes | memoryview) -> Iterator[bytes | memoryview]:
        while len(piece) > self.room:
            head, piece = memoryview(piece)[: self.room], memoryview(piece)[self.room :]
            self._append(head)
            yield self._take()
        self._append(piece)
        if not self.room:
            yield self._take()

    def rest(self) -> Iterator[bytes | memoryview]:
        if self._pieces:
            yield self._take()

    def _append(self, piece: bytes | memoryview) -> None:
        self.room -= len(piece)
        self._pieces.append(piece)
        if len(self._pieces) > self._MAX_PIECES:
            self._pieces = [b"".join(self._pieces)]

    def _take(self) -> bytes | memoryview:
        pieces, self._pieces = self._pieces, []
        self.room = self._block_bytes
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)


class _Claims:
    """What the client says the payload hashes to, each with the error that a false one raises."""

    def __init__(self, proof: PayloadProof, expected: ExpectedDigests) -> None:
        self._trailer = expected.trailer
        self._claims: list[tuple[DigestAlgorithm, bytes, type[S3Error]]] = []
        if isinstance(proof, Sha256Digest):
            self._claims.append(("sha256", bytes.fromhex(proof.hex_digest), XAmzContentSHA256Mismatch))
        if expected.content_md5 is not None:
            self._claims.append(("md5", expected.content_md5, BadDigest))
        self._claims += [(name, digest, BadDigest) for name, digest in expected.checksums.items()]

    def algorithms(self) -> list[DigestAlgorithm]:
        names = [name for name, _, _ in self._claims]
        return [*names, self._trailer] if self._trailer else names

    def add_trailer(self, value: str) -> None:
        """Take the value of the one trailer that was announced; the decoder lets no other through."""
        if self._trailer:
            self._claims.append((self._trailer, checksums.decode(self._trailer, value), BadDigest))

    def verify(self, computed: Mapping[DigestAlgorithm, bytes]) -> None:
        for name, claimed, error in self._claims:
            if not hmac.compare_digest(computed[name], claimed):
                raise error


def _decoder_for(
    proof: PayloadProof, trailer: ChecksumAlgorithm | None, payload_length: int | None
) -> AwsChunkedDecoder | None:
    can_have_trailer = isinstance(proof, UnsignedTrailer) or (
        isinstance(proof, SignedChunks) and proof.has_trailer
    )
    if trailer and not can_have_trailer:
        raise InvalidTrailer("x-amz-trailer was sent, but x-amz-content-sha256 names no body with a trailer.")
    if not isinstance(proof, SignedChunks | UnsignedTrailer):
        return None
    names = [checksums.header_name(trailer)] if trailer else []
    return AwsChunkedDecoder(proof, trailer_names=names, limits=ChunkLimits(payload_length=payload_length))
