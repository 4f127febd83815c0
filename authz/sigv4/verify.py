"""Verification: does the signature match, is its time right, and how must the body be proven."""

from __future__ import annotations

import hmac
import re

from authz.errors import (
    InvalidPayloadHash,
    RequestExpired,
    RequestTimeTooSkewed,
    SignatureDoesNotMatch,
    UnsupportedSignature,
)

from .authorization import UNSIGNED_PAYLOAD, Signed
from .canonical import canonical_request
from .parts import RequestParts
from .proof import ChunkChain, PayloadProof, Sha256Digest, SignedChunks, UnsignedPayload, UnsignedTrailer
from .scope import epoch_seconds
from .signing import signature, signing_key, string_to_sign

_STREAMING = "STREAMING-"
_SHA256 = re.compile(r"[0-9a-fA-F]{64}")


def verify(
    parts: RequestParts, signed: Signed, secret: str, *, now: float, max_clock_skew_seconds: int
) -> PayloadProof:
    """How the body must be proven, once the head is known to be signed with ``secret``.

    ``now`` is in seconds since the epoch. Raises RequestTimeTooSkewed, RequestExpired,
    SignatureDoesNotMatch, and what ``payload_proof`` raises.
    """
    _check_time(signed, now, max_clock_skew_seconds)
    key = signing_key(secret, signed.scope)
    request = canonical_request(
        parts, signed.signed_headers, signed.canonical_payload_hash, is_presigned=signed.source == "query"
    )
    expected = signature(key, string_to_sign(signed.timestamp, signed.scope, request))
    _check_signature(expected, signed)
    if signed.payload_hash is None or not signed.payload_hash.startswith(_STREAMING):
        return payload_proof(signed.payload_hash, None)
    chain = ChunkChain(
        signing_key=key, timestamp=signed.timestamp, scope=signed.scope.text, seed_signature=expected
    )
    return payload_proof(signed.payload_hash, chain)


def verify_post_policy(
    policy_base64: str, signed: Signed, secret: str, *, now: float, max_clock_skew_seconds: int
) -> None:
    """Check that the policy of a POST form, exactly as sent, is signed with ``secret``.

    How long it holds is said by its own ``expiration``, which is for the reader of the policy to check;
    here only a date in the future is refused. Raises RequestTimeTooSkewed, SignatureDoesNotMatch.
    """
    _check_not_before(signed, now, max_clock_skew_seconds)
    _check_signature(signature(signing_key(secret, signed.scope), policy_base64), signed)


def payload_proof(payload_hash: str | None, chain: ChunkChain | None) -> PayloadProof:
    """How a body with this ``x-amz-content-sha256`` is proven; without a value it is not.

    ``chain`` is None when the head carries no signature (bearer tokens), so no chunk can be signed.
    Raises UnsupportedSignature for signed chunks that cannot be checked, InvalidPayloadHash for a value
    that S3 does not know.
    """
    match payload_hash:
        case None | "UNSIGNED-PAYLOAD":
            return UnsignedPayload()
        case "STREAMING-UNSIGNED-PAYLOAD-TRAILER":
            return UnsignedTrailer()
        case "STREAMING-AWS4-HMAC-SHA256-PAYLOAD" | "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER":
            if chain is None:
                raise UnsupportedSignature(
                    "A body of signed chunks needs a request signed with AWS4-HMAC-SHA256. "
                    f"Send {UNSIGNED_PAYLOAD} or the body's SHA-256 as x-amz-content-sha256."
                )
            return SignedChunks(chain=chain, has_trailer=payload_hash.endswith("-TRAILER"))
        case _ if payload_hash.startswith("STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD"):
            raise UnsupportedSignature(
                "Signature Version 4A (ECDSA) is not supported. Sign the chunks with AWS4-HMAC-SHA256."
            )
        case _ if _SHA256.fullmatch(payload_hash):
            return Sha256Digest(hex_digest=payload_hash.lower())
    raise InvalidPayloadHash


def _check_time(signed: Signed, now: float, max_clock_skew_seconds: int) -> None:
    _check_not_before(signed, now, max_clock_skew_seconds)
    at = epoch_seconds(signed.timestamp)
    if signed.expires_seconds is None:
        if now - at > max_clock_skew_seconds:
            raise RequestTimeTooSkewed
    elif now > at + signed.expires_seconds:
        raise RequestExpired


def _check_not_before(signed: Signed, now: float, max_clock_skew_seconds: int) -> None:
    if epoch_seconds(signed.timestamp) - now > max_clock_skew_seconds:
        raise RequestTimeTooSkewed


def _check_signature(expected: str, signed: Signed) -> None:
    if not hmac.compare_digest(expected.encode(), signed.signature.encode("utf-8", "surrogatepass")):
        raise SignatureDoesNotMatch
