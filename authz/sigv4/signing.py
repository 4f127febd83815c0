"""Signing keys and signatures, for verifying clients and for our own calls to an S3 upstream.

Source: S3 API reference, "Signature Calculations for the Authorization Header", single chunk,
multiple chunks and trailing headers.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING

from .canonical import assemble, canonical_value, encode_query
from .proof import EMPTY_SHA256, ChunkChain
from .scope import ALGORITHM, CredentialScope

if TYPE_CHECKING:
    from _hashlib import HASH

# RFC 2104: a key takes a block of the hash, once with each pad.
_BLOCK_BYTES = 64
_INNER_PAD, _OUTER_PAD = (bytes(byte ^ pad for byte in range(256)) for pad in (0x36, 0x5C))


def signing_key(secret: str, scope: CredentialScope) -> bytes:
    """The key that signs for one secret, day, region and service."""
    return _derive_key(secret, scope.date, scope.region, scope.service)


@lru_cache(maxsize=1024)
def _derive_key(secret: str, date: str, region: str, service: str) -> bytes:
    # The whole secret is part of the cache's key: another secret can never be answered with this key.
    key = _hmac(b"AWS4" + secret.encode("utf-8", "surrogatepass"), date)
    return _hmac(_hmac(_hmac(key, region), service), "aws4_request")


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.digest(key, text.encode("utf-8", "surrogatepass"), "sha256")


def string_to_sign(timestamp: str, scope: CredentialScope, canonical_request: str) -> str:
    """What is signed for a request: its time, its scope and the hash of its canonical form."""
    digest = sha256(canonical_request.encode("latin-1")).hexdigest()
    return f"{ALGORITHM}\n{timestamp}\n{scope.text}\n{digest}"


def signature(key: bytes, text: str) -> str:
    """The hex signature of a string to sign, or of a POST policy in Base64; the key is a signing key."""
    inner, outer = _padded(key)
    inner, outer = inner.copy(), outer.copy()
    inner.update(text.encode("utf-8", "surrogatepass"))
    outer.update(inner.digest())
    return outer.hexdigest()


@lru_cache(maxsize=1024)
def _padded(key: bytes) -> tuple[HASH, HASH]:
    """Two hashes that have taken in the key, to be gone on with in copies: a one-shot HMAC has OpenSSL look
    its algorithms up again, which takes as long as hashing."""
    block = key.ljust(_BLOCK_BYTES, b"\0")
    return sha256(block.translate(_INNER_PAD)), sha256(block.translate(_OUTER_PAD))


class ChunkSigner:
    """Signs the chunks of one aws-chunked body in their order, each with the signature before it."""

    __slots__ = ("_key", "_previous", "_where")

    def __init__(self, chain: ChunkChain) -> None:
        self._key = chain.signing_key
        self._where = f"{chain.timestamp}\n{chain.scope}\n"
        self._previous = chain.seed_signature

    def chunk(self, sha256_hex: str) -> str:
        """The signature of the next chunk, whose data hash to ``sha256_hex``; the chain moves on."""
        text = f"{ALGORITHM}-PAYLOAD\n{self._where}{self._previous}\n{EMPTY_SHA256}\n{sha256_hex}"
        self._previous = signature(self._key, text)
        return self._previous

    def trailer(self, sha256_hex: str) -> str:
        """The signature of the trailer, after the last chunk; its lines, each ended by LF, hash to this."""
        return signature(self._key, f"{ALGORITHM}-TRAILER\n{self._where}{self._previous}\n{sha256_hex}")


def sign_headers(
    *,
    method: str,
    encoded_path: str,
    query: Sequence[tuple[str, str]],
    headers: Mapping[str, str],
    payload_hash: str,
    access_key: str,
    secret_key: str,
    session_token: str | None,
    region: str,
    service: str = "s3",
    now: datetime,
) -> dict[str, str]:
    """The headers that sign an outbound request: authorization, x-amz-date, x-amz-content-sha256, token.

    ``query`` holds decoded pairs; send them as ``encode_query`` writes them. Every header given is
    signed, so give ``host``, and leave out what a proxy may change. ``now`` is aware of its time zone.
    """
    timestamp = f"{now.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    added = {"x-amz-content-sha256": payload_hash, "x-amz-date": timestamp}
    if session_token is not None:
        added["x-amz-security-token"] = session_token
    values = {name.lower(): canonical_value(value) for name, value in headers.items()} | added
    values = {name: values[name] for name in sorted(values)}
    pairs = [(name.encode(), value.encode()) for name, value in query]
    scope = CredentialScope(date=timestamp[:8], region=region, service=service)
    request = assemble(method, encoded_path, encode_query(pairs), values, payload_hash)
    signed = signature(signing_key(secret_key, scope), string_to_sign(timestamp, scope, request))
    credential = f"Credential={access_key}/{scope.text}"
    added["authorization"] = f"{ALGORITHM} {credential}, SignedHeaders={';'.join(values)}, Signature={signed}"
    return added
