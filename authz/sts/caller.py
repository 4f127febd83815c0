"""Who signs with the keys of a session, on one bucket."""

from __future__ import annotations

from authz.config import BucketAuth
from authz.errors import AccessDenied, ExpiredToken
from authz.identity import AuthMethod, BucketScope, Identity
from authz.jwt.principal import token_principal
from authz.key_template import own_scope

from .exchange import fingerprint
from .session import Session


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
    the bucket does not take tokens, takes others, or is not in the session's policy."""
    if now >= session.expires_at:
        raise ExpiredToken(reason="session expired")
    rule = None if rules.jwt is None else fingerprint(rules.jwt)
    grant = next((grant for grant in session.grants if grant.rule == rule), None)
    prefixes = {} if session.prefixes is None else session.prefixes
    if bucket is None or grant is None or (session.prefixes is not None and bucket not in prefixes):
        raise AccessDenied(
            "Access Denied: this session is not for this bucket.", reason="session out of scope"
        )
    scope = BucketScope(
        frozenset({bucket}), {bucket: prefixes[bucket]} if session.prefixes is not None else {}
    )
    return Identity(
        token_principal(grant.issuer, grant.subject),
        method,
        access_key_id,
        own_scope(scope, bucket, rules.key_template, grant.subject),
        subject=grant.subject,
        groups=grant.groups,
        claims=grant.claims,
    )
