"""What the tests of VerifiedBody share: sources, claims, and a body of each proof."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from chunk_wire import chain, wire

from authz.sigv4.proof import PayloadProof, Sha256Digest, SignedChunks, UnsignedPayload, UnsignedTrailer
from uploads.body import checksums
from uploads.body.buffers import Buffers
from uploads.body.verified import VerifiedBody
from uploads.s3.headers import ChecksumAlgorithm, ExpectedDigests

PLAIN, SIGNED, SIGNED_TRAILER, UNSIGNED = (
    UnsignedPayload(),
    SignedChunks(chain(), has_trailer=False),
    SignedChunks(chain(), has_trailer=True),
    UnsignedTrailer(),
)
PROOFS = ["plain", "sha256", "signed", "signed trailer", "unsigned trailer"]


class Source:
    """A connection: gives at most what is asked for, in pieces of ``at_most`` at will, and counts."""

    def __init__(self, data: bytes, at_most: Callable[[], int] | int = 1 << 30) -> None:
        self.data = memoryview(data)
        self.at = 0
        self.asked: list[int] = []
        self._at_most = at_most if callable(at_most) else lambda: at_most

    copied_by = ""

    def read_into(self, buffer: memoryview, /) -> int:
        assert len(buffer) > 0
        self.asked.append(len(buffer))
        piece = self.data[self.at : self.at + min(len(buffer), self._at_most())]
        buffer[: len(piece)] = piece
        self.at += len(piece)
        return len(piece)


def digest(algorithm: str, data: bytes) -> bytes:
    hasher = checksums.new(algorithm)
    hasher.update(data)
    return hasher.digest()


@dataclass(frozen=True)
class Sent:
    """A request's body with what its head said of it."""

    proof: PayloadProof
    body: bytes
    expected: ExpectedDigests
    payload_length: int | None

    def read_by(self, source: Any = None, *, block_bytes: int | None = None, **changes: Any) -> VerifiedBody:
        """``block_bytes``: all buffers have so many bytes."""
        if block_bytes:
            changes["buffers"] = Buffers(block_bytes, block_bytes)
        options: dict[str, Any] = {
            "proof": self.proof,
            "expected": self.expected,
            "wire_length": len(self.body),
            "payload_length": self.payload_length,
            "max_bytes": 1 << 40,
        }
        return VerifiedBody(source or Source(self.body), **options | changes)


def send(
    payload: bytes, proof: str, *, algorithm: ChecksumAlgorithm | None = None, chunk_bytes: int = 64 * 1024
) -> Sent:
    """``payload`` as a client with this kind of proof sends it, with this checksum in header or trailer."""
    chunks = [payload[at : at + chunk_bytes] for at in range(0, len(payload), chunk_bytes)]
    value = digest(algorithm, payload) if algorithm else b""
    in_header = ExpectedDigests(checksums={algorithm: value} if algorithm else {})
    in_trailer = ExpectedDigests(trailer=algorithm)
    fields = [(checksums.header_name(algorithm), checksums.encode(value))] if algorithm else []
    match proof:
        case "plain":
            return Sent(PLAIN, payload, in_header, len(payload))
        case "sha256":
            return Sent(Sha256Digest(hashlib.sha256(payload).hexdigest()), payload, in_header, len(payload))
        case "signed":
            return Sent(SIGNED, wire(chunks, is_signed=True), in_header, len(payload))
        case "signed trailer":
            return Sent(SIGNED_TRAILER, wire(chunks, fields, is_signed=True), in_trailer, len(payload))
        case "unsigned trailer":
            return Sent(UNSIGNED, wire(chunks, fields), in_trailer, len(payload))
    raise AssertionError(proof)
