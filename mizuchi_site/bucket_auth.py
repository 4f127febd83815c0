"""How callers of a bucket prove who they are, as the authz room is told."""

from __future__ import annotations

from authz.config import BucketAuth, JwksConfig, JwtConfig
from mizuchi_site.config.buckets import AuthSection
from mizuchi_site.config.jwt import JwtSection


def bucket_auth(auth: AuthSection, *, browser_upload: bool = False) -> BucketAuth:
    """What ``buckets[].auth`` says, and whether staff may upload by the desk's page."""
    return BucketAuth(
        sigv4=auth.sigv4.enabled,
        max_clock_skew_seconds=auth.sigv4.max_clock_skew_seconds,
        anonymous=auth.anonymous,
        jwt=None if auth.jwt is None else _jwt(auth.jwt),
        key_template=auth.key_template,
        browser_upload=browser_upload,
    )


def _jwt(jwt: JwtSection) -> JwtConfig:
    return JwtConfig(
        algorithms=jwt.algorithms,
        secret=None if jwt.secret is None else jwt.secret.get_secret_value(),
        public_key=jwt.public_key,
        jwks_url=jwt.jwks_url,
        jwks=JwksConfig(**dict(jwt.jwks)),
        issuers=jwt.issuer or (),
        audiences=jwt.audience or (),
        leeway_seconds=jwt.leeway_seconds,
        required_claims=jwt.required_claims,
        subject_claim=jwt.subject_claim,
        groups_claim=jwt.groups_claim,
        claims=jwt.claims,
        sources=jwt.token_sources,
    )
