"""Who signs with the keys of a session, on one bucket."""

from __future__ import annotations

from collections.abc import Iterator

from authz.config import BucketAuth
from authz.errors import AccessDenied, ExpiredToken
from authz.identity import AuthMethod, BucketScope, Identity
from authz.jwt.principal import token_principal
from authz.key_template import own_scope

from . import staff
from .exchange import fingerprint
from .session import Grant, Session


def session_identity(
    session: Session,
    *,
    access_key_id: str,
    method: AuthMethod,
    bucket: str | None,
    rules: BucketAuth,
    now: float,
) -> Identity:
    """``now`` is Unix time in seconds. Raises ExpiredToken, and AccessDenied where the session is not good:
    the bucket takes no such sessions, or by other rules, or is not in the session's policy."""
    if now >= session.expires_at:
        raise ExpiredToken(reason="session expired")
    accepted = tuple(_accepted(rules))
    grant = next((grant for grant in session.grants if grant.rule in accepted), None)
    prefixes = {} if session.prefixes is None else session.prefixes
    if bucket is None or grant is None or (session.prefixes is not None and bucket not in prefixes):
        raise AccessDenied(
            "Access Denied: this session is not for this bucket.", reason="session out of scope"
        )
    scope = BucketScope(
        frozenset({bucket}), {bucket: prefixes[bucket]} if session.prefixes is not None else {}
    )
    principal, subject = _names(grant)
    return Identity(
        principal,
        method,
        access_key_id,
        own_scope(scope, bucket, rules.key_template, subject),
        subject=subject,
        groups=grant.groups,
        claims=grant.claims,
    )


def _accepted(rules: BucketAuth) -> Iterator[str]:
    """What grants must be by for the bucket to take them."""
    if rules.jwt is not None:
        yield fingerprint(rules.jwt)
    if rules.browser_upload:
        yield staff.RULE


def _names(grant: Grant) -> tuple[str, str]:
    """Principal and subject: for staff the same, since a token's subject may be spelled like a username."""
    if grant.rule == staff.RULE:
        principal = staff.staff_principal(grant.subject)
        return principal, principal
    return token_principal(grant.issuer, grant.subject), grant.subject
