"""Sessions without shared state: the session token carries all that a node must know, sealed.

The token is authenticated ciphertext (AES-256-GCM) with the access key id as its associated data, and the
secret access key is derived from that id: any node with one of the master secrets can go on, and neither a
token under another id nor a secret of another token is good for anything.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from authz.errors import InvalidToken

from .errors import SessionTooLarge

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

MAX_TOKEN_CHARACTERS = 4096
_VERSION = 1
_KEY_ID_BYTES = 4
_NONCE_BYTES = 12
_SECRET_BYTES = 30


@dataclass(frozen=True, slots=True)
class Grant:
    """Who the session's bearer is on buckets that take it by ``rule``: the fingerprint of a rule for tokens,
    or ``staff``."""

    rule: str
    issuer: str
    subject: str
    groups: tuple[str, ...] = ()
    claims: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Session:
    """What a session is good for, until ``expires_at`` (Unix time in seconds). ``prefixes`` are those of its
    policy by bucket; None: no policy narrows it."""

    expires_at: int
    grants: tuple[Grant, ...]
    prefixes: Mapping[str, tuple[str, ...]] | None = None


@dataclass(frozen=True, slots=True)
class SessionKeys:
    """The secret that belongs to a session."""

    session: Session
    secret: str = field(repr=False)


class SessionSealer:
    """Seals with the first of ``keys`` (32 bytes each) and opens with any of them. Thread-safe. cryptography
    comes with the first session: it takes 8 MiB."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        self._keys = {hashlib.sha256(key).digest()[:_KEY_ID_BYTES]: key for key in keys}
        self._current = next(iter(self._keys))

    def seal(self, access_key_id: str, session: Session) -> tuple[str, str]:
        """The session token, and the secret access key. Raises SessionTooLarge."""
        key, nonce = self._keys[self._current], os.urandom(_NONCE_BYTES)
        sealed = _cipher(key).encrypt(nonce, _packed(session), access_key_id.encode())
        token = _encoded(self._current + nonce + sealed)
        if len(token) > MAX_TOKEN_CHARACTERS:
            raise SessionTooLarge
        return token, _secret(key, access_key_id)

    def open(self, access_key_id: str, token: str) -> SessionKeys:
        """Raises InvalidToken for anything that was not sealed here under this id."""
        from cryptography.exceptions import InvalidTag

        try:
            if len(token) > MAX_TOKEN_CHARACTERS:
                raise ValueError("longer than any token of ours")
            raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
            if _encoded(raw) != token:
                raise ValueError("not as we write it")
            key = self._keys[raw[:_KEY_ID_BYTES]]
            nonce, sealed = raw[_KEY_ID_BYTES:][:_NONCE_BYTES], raw[_KEY_ID_BYTES + _NONCE_BYTES :]
            packed = _cipher(key).decrypt(nonce, sealed, access_key_id.encode())
        except (KeyError, ValueError, InvalidTag):
            raise InvalidToken(reason="session unknown") from None
        return SessionKeys(_unpacked(packed), _secret(key, access_key_id))


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _cipher(key: bytes) -> AESGCM:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    return AESGCM(hmac.digest(key, b"seal", "sha256"))


def _secret(key: bytes, access_key_id: str) -> str:
    derived = hmac.digest(hmac.digest(key, b"secret", "sha256"), access_key_id.encode(), "sha256")
    return base64.urlsafe_b64encode(derived[:_SECRET_BYTES]).decode()


def _packed(session: Session) -> bytes:
    grants = [[g.rule, g.issuer, g.subject, g.groups, dict(g.claims)] for g in session.grants]
    document = [_VERSION, session.expires_at, grants, session.prefixes]
    return zlib.compress(json.dumps(document, separators=(",", ":")).encode())


def _unpacked(packed: bytes) -> Session:
    _, expires_at, grants, prefixes = json.loads(zlib.decompress(packed))
    return Session(
        expires_at,
        tuple(
            Grant(rule, issuer, subject, tuple(groups), claims)
            for rule, issuer, subject, groups, claims in grants
        ),
        None if prefixes is None else {bucket: tuple(each) for bucket, each in prefixes.items()},
    )
