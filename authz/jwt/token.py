"""A JSON Web Token before anything of it is believed: its form and its header.

Only what a signature can be checked with is taken from the header; keys and the addresses of keys that it
may carry (``jwk``, ``jku``, ``x5c``, ``x5u``) are never looked at. Sources: RFC 7515, 4.1 and 7.1; RFC 7519,
5; RFC 8725, 3.1, 3.11; RFC 9068, 2.1.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from authz.errors import BearerTokenRefused

from .strict_json import parse_object

MAX_TOKEN_CHARACTERS = 8192
MAX_KEY_ID_CHARACTERS = 256

_COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*")
_ENCRYPTED = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*){4}")
_TYPES = frozenset({"jwt", "at+jwt"})
# Each changes what is signed, or asks for more than is understood here; none may be passed over.
_REFUSED_MEMBERS = frozenset({"crit", "b64", "zip", "enc", "cty"})


@dataclass(frozen=True, slots=True)
class UnverifiedToken:
    """A token whose header is acceptable; its signature and claims are not looked at yet.

    ``key_id`` is the header's ``kid``, an opaque name to compare with, None without one.
    """

    text: str = field(repr=False)
    algorithm: str
    key_id: str | None


def parse_token(text: str, algorithms: Collection[str]) -> UnverifiedToken:
    """``text`` as a signed token of one of ``algorithms``. Raises BearerTokenRefused."""
    if len(text) > MAX_TOKEN_CHARACTERS:
        raise BearerTokenRefused(reason="token too long")
    if not _COMPACT.fullmatch(text):
        raise BearerTokenRefused(
            reason="encrypted token" if _ENCRYPTED.fullmatch(text) else "malformed token"
        )
    header = _object(text.partition(".")[0])
    algorithm = header.get("alg")
    if not isinstance(algorithm, str) or algorithm not in algorithms:
        raise BearerTokenRefused(reason="algorithm not accepted")
    if not _REFUSED_MEMBERS.isdisjoint(header):
        raise BearerTokenRefused(reason="header not accepted")
    _check_type(header)
    return UnverifiedToken(text, algorithm, _key_id(header))


def payload_of(text: str) -> dict[str, Any]:
    """The claims of a token, which its signature has yet to prove. Raises BearerTokenRefused."""
    return _object(text.split(".")[1])


def _object(segment: str) -> dict[str, Any]:
    try:
        raw = base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))
        if base64.urlsafe_b64encode(raw).rstrip(b"=").decode() != segment:
            raise ValueError("bits beyond the last byte")
        return parse_object(raw)
    except ValueError:
        raise BearerTokenRefused(reason="malformed token") from None


def _check_type(header: Mapping[str, Any]) -> None:
    given = header.get("typ", "JWT")
    if not isinstance(given, str) or given.lower().removeprefix("application/") not in _TYPES:
        raise BearerTokenRefused(reason="type not accepted")


def _key_id(header: Mapping[str, Any]) -> str | None:
    key_id = header.get("kid")
    if key_id is None:
        return None
    if not isinstance(key_id, str) or not 0 < len(key_id) <= MAX_KEY_ID_CHARACTERS:
        raise BearerTokenRefused(reason="header not accepted")
    return key_id
