"""How the body of a request is proven: one type for each value of ``x-amz-content-sha256``.

Variants are types, not flags; match them exhaustively.
Source: S3 API reference, "Authenticating Requests (AWS Signature Version 4)".
"""

from __future__ import annotations

from dataclasses import dataclass, field

EMPTY_SHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


@dataclass(frozen=True, slots=True)
class UnsignedPayload:
    """``UNSIGNED-PAYLOAD`` (or nothing said): the body is plain and its hash is not signed."""


@dataclass(frozen=True, slots=True)
class Sha256Digest:
    """A hex SHA-256: the body is plain and must hash to it."""

    hex_digest: str


@dataclass(frozen=True, slots=True)
class ChunkChain:
    """What the first chunk signature of a signed stream is computed from."""

    signing_key: bytes = field(repr=False)
    timestamp: str
    scope: str
    seed_signature: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class SignedChunks:
    """``STREAMING-AWS4-HMAC-SHA256-PAYLOAD``, and with ``has_trailer`` the ``-TRAILER`` form."""

    chain: ChunkChain
    has_trailer: bool


@dataclass(frozen=True, slots=True)
class UnsignedTrailer:
    """``STREAMING-UNSIGNED-PAYLOAD-TRAILER``: aws-chunked framing without signatures, with a trailer."""


PayloadProof = UnsignedPayload | Sha256Digest | SignedChunks | UnsignedTrailer
