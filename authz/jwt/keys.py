"""Keys that tokens are verified with, and the algorithms that each is good for.

Which algorithm a key may be used with is said by the key and the configuration, never by the token alone
(RFC 8725, 3.1); a shared secret and a public key have no algorithm in common. Sources: RFC 7518, 3; RFC 8037.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    SECP384R1,
    SECP521R1,
    EllipticCurvePublicKey,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from .token import UnverifiedToken

HMAC_ALGORITHMS = ("HS256", "HS384", "HS512")
RSA_ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")
EC_ALGORITHMS = ("ES256", "ES384", "ES512")
PUBLIC_KEY_ALGORITHMS = (*RSA_ALGORITHMS, *EC_ALGORITHMS, "EdDSA")

MIN_RSA_BITS = 2048
_BY_CURVE = {SECP256R1: "ES256", SECP384R1: "ES384", SECP521R1: "ES512"}

PublicKey = RSAPublicKey | EllipticCurvePublicKey | Ed25519PublicKey


@dataclass(frozen=True, slots=True)
class VerificationKey:
    """A key with the algorithms it may verify; ``key_id`` is its name in a set of keys, if it has one."""

    key: PublicKey | str = field(repr=False)
    algorithms: frozenset[str]
    key_id: str | None = None


class KeySource(Protocol):
    """Where the keys for a token are found."""

    def keys_for(self, token: UnverifiedToken) -> tuple[VerificationKey, ...]:
        """The keys that could have signed the token, none when it names one that is unknown. Raises
        TokenKeysUnavailable when that cannot be told now."""
        ...


class SingleKey:
    """The one key of the configuration: whatever name a token has for it."""

    def __init__(self, key: VerificationKey) -> None:
        self._key = key

    def keys_for(self, token: UnverifiedToken) -> tuple[VerificationKey, ...]:
        return (self._key,) if token.algorithm in self._key.algorithms else ()


def shared_secret(secret: str) -> VerificationKey:
    """A secret that issuer and gateway share."""
    return VerificationKey(secret, frozenset(HMAC_ALGORITHMS))


def public_key(pem: str) -> VerificationKey:
    """The public key in a PEM text. Raises ValueError for anything else, and for a weak one."""
    key = load_pem_public_key(pem.encode())
    if not isinstance(key, PublicKey):
        raise ValueError("not an RSA, EC or Ed25519 key")
    return VerificationKey(key, algorithms_of(key))


def algorithms_of(key: PublicKey) -> frozenset[str]:
    """What a key can verify. Raises ValueError for RSA keys under 2048 bits and other curves."""
    match key:
        case RSAPublicKey():
            if key.key_size < MIN_RSA_BITS:
                raise ValueError(f"an RSA key has at least {MIN_RSA_BITS} bits")
            return frozenset(RSA_ALGORITHMS)
        case EllipticCurvePublicKey():
            algorithm = _BY_CURVE.get(type(key.curve))
            if algorithm is None:
                raise ValueError("a curve is P-256, P-384 or P-521")
            return frozenset({algorithm})
        case Ed25519PublicKey():
            return frozenset({"EdDSA"})
