"""Who may upload to a bucket, as operators may see it: the rules without their secrets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from authz.config import BucketAuth, JwtConfig, OpaConfig, PolicyConfig
from authz.policy.factory import EngineConfig, engine_configs

KeySource = Literal["secret", "public_key", "jwks_url"]


@dataclass(frozen=True, slots=True)
class TokenAccess:
    """Which tokens are taken; ``keys`` is what verifies them, with ``jwks_url`` where that is an endpoint."""

    algorithms: tuple[str, ...]
    keys: KeySource
    jwks_url: str | None
    issuers: tuple[str, ...]
    audiences: tuple[str, ...]
    required_claims: tuple[str, ...]
    subject_claim: str
    groups_claim: str | None
    claims: tuple[str, ...]
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EngineAccess:
    """An engine that is asked: ``question`` is OPA's path, or the store, relation and objects of OpenFGA."""

    engine: str
    url: str
    question: str
    timeout_seconds: float
    cache_ttl_seconds: float


@dataclass(frozen=True, slots=True)
class PolicyAccess:
    """What follows from the engines' answers."""

    mode: Literal["all_of", "any_of", "shadow"]
    fails_open: bool
    engines: tuple[EngineAccess, ...]


@dataclass(frozen=True, slots=True)
class BucketAccess:
    """How callers prove who they are, and who decides whether they may."""

    sigv4: bool
    max_clock_skew_seconds: int
    tokens: TokenAccess | None
    browser_upload: bool
    anonymous: bool
    key_template: str | None
    policy: PolicyAccess | None


def bucket_access(rules: BucketAuth, policy: PolicyConfig | None) -> BucketAccess:
    return BucketAccess(
        sigv4=rules.sigv4,
        max_clock_skew_seconds=rules.max_clock_skew_seconds,
        tokens=None if rules.jwt is None else _tokens(rules.jwt),
        browser_upload=rules.browser_upload,
        anonymous=rules.anonymous,
        key_template=rules.key_template,
        policy=None if policy is None else _policy(policy),
    )


def _tokens(rule: JwtConfig) -> TokenAccess:
    keys: KeySource = "jwks_url" if rule.jwks_url else "public_key" if rule.public_key else "secret"
    return TokenAccess(
        algorithms=rule.algorithms,
        keys=keys,
        jwks_url=rule.jwks_url,
        issuers=rule.issuers,
        audiences=rule.audiences,
        required_claims=rule.required_claims,
        subject_claim=rule.subject_claim,
        groups_claim=rule.groups_claim,
        claims=rule.claims,
        sources=tuple(f"{source.kind} {source.name}".strip() for source in rule.sources),
    )


def _policy(policy: PolicyConfig) -> PolicyAccess:
    engines = tuple(_engine(config) for config in engine_configs(policy))
    return PolicyAccess(policy.mode, policy.fails_open, engines)


def _engine(config: EngineConfig) -> EngineAccess:
    if isinstance(config, OpaConfig):
        name, question = "opa", config.path
    else:
        relations = sorted({config.relation, *config.relations.values()})
        name = "openfga"
        question = f"{config.user} {', '.join(relations)} {' or '.join(config.objects)}"
    return EngineAccess(name, config.url, question, config.timeout_seconds, config.cache_ttl_seconds)
