"""A body that is decoded and hashed while a backend pulls it, and verified before its last block."""

from __future__ import annotations

import hmac
from collections.abc import Generator, Iterator, Mapping
from types import MappingProxyType
from typing import Final

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
from .buffers import BUFFERS, Buffers
from .digesting import StreamDigests
from .intake import Intake
from .stream import ByteSource, DigestAlgorithm
from .timed import Timeline

# A shorter piece of payload is moved to the end of the one before it: to move the chunks of 64 KiB that most
# SDKs sign costs 12 % less CPU than to hand each on as a block.
_JOIN_BYTES: Final = 128 * 1024
_NO_DIGESTS: Mapping[DigestAlgorithm, bytes] = MappingProxyType({})


class VerifiedBody:
    """The ``Body`` of one request.

    ``wire_length`` is the Content-Length; nothing is read past it. None means that the source itself
    knows its end (chunked transfer-encoding); with ``is_end_certain`` it raises when that end was cut off,
    instead of ending there. ``payload_length`` is that of the object or part, None when
    not promised. Blocks are parts of ``buffers``.

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
        buffers: Buffers = BUFFERS,
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
        self.timeline = Timeline()
        self.verified = False
        self._source = source
        self._intake = Intake(source, self.timeline, buffers, wire_length)
        self._max_bytes = max_bytes
        self._algorithms: set[DigestAlgorithm] = set(self._claims.algorithms())
        self._digests = _NO_DIGESTS
        self._size = 0
        self._has_joined = False
        self._blocks: Generator[memoryview] | None = None

    @property
    def size(self) -> int:
        """Payload bytes received so far."""
        return self._size if self._decoder else self._size + self._intake.filled

    @property
    def copied_by(self) -> str:
        """What copied payload in memory between the connection and the reader of the blocks; empty when
        nothing did: ``server``, ``form``, or ``aws-chunked``."""
        return self._source.copied_by or ("aws-chunked" if self._has_joined else "")

    @property
    def digests(self) -> Mapping[DigestAlgorithm, bytes]:
        """Raw digests of the whole body, claimed or wanted; empty before it was verified."""
        return self._digests

    def want(self, algorithm: DigestAlgorithm) -> None:
        """Compute ``algorithm`` too; raises RuntimeError once iteration has begun."""
        self._require_fresh()
        self._algorithms.add(algorithm)

    def __iter__(self) -> Iterator[memoryview]:
        self._require_fresh()
        self._blocks = self._verified_blocks()
        return self._blocks

    def close(self) -> None:
        """Nobody reads the blocks any more, whether all were taken or not."""
        if self._blocks is not None:
            self._blocks.close()

    def _require_fresh(self) -> None:
        if self._blocks is not None:
            raise RuntimeError("the body is already being read, and it can be read only once")

    def _verified_blocks(self) -> Generator[memoryview]:
        """What may be the last block is held back, until another comes or all is verified."""
        digests, intake, decoder = StreamDigests(self._algorithms, self.length), self._intake, self._decoder
        held = None
        try:
            while wire := intake.fill():
                count = 0
                for block in (wire,) if decoder is None else self._payload(decoder, wire):
                    count += 1
                    self._count(len(block))
                    digests.update(block)
                    if held is not None:
                        yield held
                        held = None
                    if self.length is None or self._size >= self.length:
                        held = block
                    else:
                        yield block
                if intake.remaining == 0:
                    break
                if count and (held is not None or digests.is_behind):
                    digests.catch_up(count)  # with the buffer before this one
                    intake.swap()
            self._verify(digests)
            if held is not None:
                yield held
        finally:
            digests.abandon()
            intake.close()

    def _verify(self, digests: StreamDigests) -> None:
        if self._intake.remaining:
            raise IncompleteBody
        self.timeline.received()
        if self._decoder:
            self._decoder.feed(b"")
        if self.length is not None and self._size != self.length:
            raise IncompleteBody
        computed = digests.finish()
        self._claims.verify(computed)
        self._digests = computed
        self.verified = True
        self.timeline.verified()

    def _payload(self, decoder: AwsChunkedDecoder, wire: memoryview) -> Iterator[memoryview]:
        """What is payload of these bytes, in few pieces."""
        start = end = 0
        for event in decoder.feed(wire):
            if isinstance(event, Data):
                size = event.end - event.start
                if start == end:
                    start, end = event.start, event.end
                elif size < _JOIN_BYTES:
                    wire[end : end + size] = wire[event.start : event.end]
                    end += size
                    self._has_joined = True
                else:
                    yield wire[start:end]
                    start, end = event.start, event.end
            elif isinstance(event, Trailer):
                self._claims.add_trailer(event.value)
        if start < end:
            yield wire[start:end]

    def _count(self, received: int) -> None:
        self._size += received
        if self._size > self._max_bytes:
            raise EntityTooLarge
        if self.length is not None and self._size > self.length:
            raise IncompleteBody


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
