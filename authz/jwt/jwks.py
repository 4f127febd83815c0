"""A JWK Set, read for the keys in it that can verify tokens; others are passed over.

Sources: RFC 7517, 4 and 5; RFC 7518, 6.
"""

from __future__ import annotations

from typing import Any

from jwt import PyJWK
from jwt.exceptions import PyJWTError

from .keys import PublicKey, VerificationKey, algorithms_of
from .strict_json import parse_object
from .token import MAX_KEY_ID_CHARACTERS

MAX_KEYS = 64
_PRIVATE_MEMBER = "d"


def parse_jwks(document: bytes) -> tuple[VerificationKey, ...]:
    """The usable keys of a JWK Set. Raises ValueError when it is none, or has none that is usable."""
    listed = parse_object(document).get("keys")
    if not isinstance(listed, list) or len(listed) > MAX_KEYS:
        raise ValueError("does not answer with a JWK Set")
    keys = tuple(key for each in listed if isinstance(each, dict) and (key := _usable_key(each)))
    if not keys:
        raise ValueError("shows no key that can verify tokens")
    return keys


def _usable_key(jwk: dict[str, Any]) -> VerificationKey | None:
    key_id, operations = jwk.get("kid"), jwk.get("key_ops")
    if jwk.get("use", "sig") != "sig" or _PRIVATE_MEMBER in jwk:
        return None
    if operations is not None and not (isinstance(operations, list) and "verify" in operations):
        return None
    if key_id is not None and not (isinstance(key_id, str) and 0 < len(key_id) <= MAX_KEY_ID_CHARACTERS):
        return None
    try:
        # By its type alone: what "alg" says is looked at below.
        key = PyJWK({name: jwk[name] for name in jwk if name != "alg"}).key
        algorithms = algorithms_of(key) if isinstance(key, PublicKey) else frozenset()
    except (PyJWTError, ValueError, TypeError):
        return None
    if "alg" in jwk:
        algorithms &= {jwk["alg"]} if isinstance(jwk["alg"], str) else frozenset()
    return VerificationKey(key, algorithms, key_id) if algorithms else None
