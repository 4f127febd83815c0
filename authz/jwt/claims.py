"""What a verified token says, in the forms the rest of the gateway counts on.

The signature, ``iss``, ``aud`` and the times were checked by the token backend, which is generous about
forms: it takes ``"exp": "5"``. Sources: RFC 7519, 2 and 4.1; RFC 8725, 3.8 and 3.10.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from authz.config import JwtConfig
from authz.errors import BearerTokenRefused

MAX_SUBJECT_CHARACTERS = 255
MAX_ISSUER_CHARACTERS = 512
MAX_GROUPS = 200
_LAST_SECOND = 253_402_300_799  # the year 9999 ends
_TIMES = ("exp", "nbf", "iat")


@dataclass(frozen=True, slots=True)
class VerifiedToken:
    """Who a token speaks of. ``issuer`` is "" when it names none; ``expires_at`` is Unix time in seconds;
    ``claims`` are those that the configuration lets through."""

    issuer: str
    subject: str
    audiences: tuple[str, ...]
    expires_at: float
    groups: tuple[str, ...] = ()
    claims: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))


def read_claims(payload: Mapping[str, Any], config: JwtConfig) -> VerifiedToken:
    """Raises BearerTokenRefused for a claim that is missing or in a form nobody can count on."""
    for name in ("exp", *config.required_claims):
        if payload.get(name) is None:
            raise BearerTokenRefused(reason="claim missing")
    for name in _TIMES:
        _check_time(payload.get(name))
    return VerifiedToken(
        issuer=_issuer(payload.get("iss", "")),
        subject=_subject(payload.get(config.subject_claim)),
        audiences=_strings(payload.get("aud", [])),
        expires_at=float(payload["exp"]),
        groups=_groups(payload, config.groups_claim),
        claims=MappingProxyType({name: payload[name] for name in config.claims if name in payload}),
    )


def _check_time(value: Any) -> None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if value is not None and not (is_number and 0 <= value <= _LAST_SECOND):
        raise BearerTokenRefused(reason="claim not valid")


def _issuer(value: Any) -> str:
    if not isinstance(value, str) or not value.isprintable() or len(value) > MAX_ISSUER_CHARACTERS:
        raise BearerTokenRefused(reason="claim not valid")
    return value


def _subject(value: Any) -> str:
    """Printable, since it becomes part of keys, records and answers."""
    if value is None:
        raise BearerTokenRefused(reason="claim missing")
    if (
        not isinstance(value, str)
        or not 0 < len(value) <= MAX_SUBJECT_CHARACTERS
        or not value.isprintable()
        or value != value.strip()
    ):
        raise BearerTokenRefused(reason="subject not valid")
    return value


def _strings(value: Any) -> tuple[str, ...]:
    listed = [value] if isinstance(value, str) else value
    if not isinstance(listed, list) or not all(isinstance(item, str) for item in listed):
        raise BearerTokenRefused(reason="claim not valid")
    return tuple(listed)


def _groups(payload: Mapping[str, Any], claim: str | None) -> tuple[str, ...]:
    groups = _strings(payload.get(claim, [])) if claim else ()
    if len(groups) > MAX_GROUPS:
        raise BearerTokenRefused(reason="claim not valid")
    return groups
