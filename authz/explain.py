"""Puts a question to a bucket's policy and keeps each answer, as ``authz_explain`` and the desk show it."""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Final, get_args

from authz.config import AuthzConfig, BucketAuth, PolicyConfig
from authz.decisions import Decision, PolicyQuestion, decide_by_scope
from authz.identity import AuthMethod, BucketScope, Identity
from authz.jwt.principal import token_principal
from authz.key_template import own_scope
from authz.policy.base import EngineFailure
from authz.policy.combine import Combined, combine
from authz.policy.factory import EngineConfig, build_engine, engine_configs
from authz.policy.verdict import Outcome, Verdict, answered, failed

METHODS: Final[tuple[AuthMethod, ...]] = get_args(AuthMethod)


class UnknownBucket(LookupError):
    """There is no bucket of this name."""


@dataclass(frozen=True, slots=True)
class Inquiry:
    """May ``subject`` do ``action`` on a bucket, or on a ``key`` in it, and who says so?

    ``subject`` is the principal of an access key, or the subject of a token. ``method`` None: ``jwt`` where
    the bucket takes tokens. ``operation`` "": the action's name. ``claims`` may be more than the bucket lets
    through. ``size`` is in bytes.
    """

    subject: str
    bucket: str
    action: str
    key: str | None = None
    operation: str = ""
    method: AuthMethod | None = None
    groups: tuple[str, ...] = ()
    claims: Mapping[str, object] = field(default_factory=dict)
    size: int | None = None
    content_type: str | None = None
    client_ip: str = ""


@dataclass(frozen=True, slots=True)
class Explanation:
    """``verdicts`` of all engines, also those that a request would not have asked any more; ``combined`` is
    None in a bucket without a policy."""

    scope: Decision
    verdicts: tuple[Verdict, ...]
    combined: Combined | None
    is_enforced: bool

    @property
    def outcome(self) -> Outcome:
        """What a request would meet."""
        if not self.scope.is_allowed:
            return "deny"
        return "allow" if self.combined is None or not self.is_enforced else self.combined.outcome

    @property
    def why(self) -> str:
        """In a few words, what the outcome follows from."""
        if not self.scope.is_allowed:
            return "no policy can widen it"
        if self.combined is None:
            return "the bucket has no policy"
        decided = f"{self.combined.engine} {self.combined.reason}".strip()
        if not self.is_enforced:
            return f"shadow: {self.combined.outcome} is recorded and not obeyed ({decided})"
        return decided

    def report(self) -> dict[str, Any]:
        """All of it, for JSON."""
        return {
            "outcome": self.outcome,
            "why": self.why,
            "scope": dataclasses.asdict(self.scope),
            "engines": [dataclasses.asdict(verdict) for verdict in self.verdicts],
            "is_enforced": self.is_enforced,
        }


def explain(config: AuthzConfig, inquiry: Inquiry) -> Explanation:
    """Asks the real engines, at the same time: it takes no longer than the longest of their timeouts. Nothing
    is remembered, and no breaker is in the way. Raises UnknownBucket."""
    rules = config.buckets.get(inquiry.bucket)
    if rules is None:
        known = ", ".join(sorted(config.buckets))
        raise UnknownBucket(f"There is no bucket {inquiry.bucket!r}. Known: {known}.")
    return _explained(config.policies.get(inquiry.bucket), _question(inquiry, rules))


def parse_claims(text: str) -> dict[str, object]:
    """Claims of a token, as somebody typed them. Raises ValueError."""
    try:
        claims = json.loads(text)
    except (ValueError, RecursionError):
        claims = None
    if not isinstance(claims, dict):
        raise ValueError('must be a JSON object, such as {"tier": "gold"}.')
    return claims


def _question(inquiry: Inquiry, rules: BucketAuth) -> PolicyQuestion:
    return PolicyQuestion(
        _identity(inquiry, rules),
        inquiry.action,
        inquiry.bucket,
        inquiry.key,
        operation=inquiry.operation or inquiry.action.removeprefix("s3:"),
        size=inquiry.size,
        content_type=inquiry.content_type,
        client_ip=inquiry.client_ip,
        request_id="authz_explain",
    )


def _identity(inquiry: Inquiry, rules: BucketAuth) -> Identity:
    """As authentication would have it: claims as far as they are let through, keys as far as they are theirs.
    The buckets of an access key are not known here."""
    method: AuthMethod = inquiry.method or ("jwt" if rules.jwt else "sigv4")
    principal, claims = inquiry.subject, inquiry.claims
    if method == "jwt" and rules.jwt is not None:
        principal = token_principal(next(iter(rules.jwt.issuers), ""), inquiry.subject)
        claims = {name: value for name, value in claims.items() if name in rules.jwt.claims}
    return Identity(
        principal=principal,
        method=method,
        scope=own_scope(BucketScope(), inquiry.bucket, rules.key_template, inquiry.subject),
        subject=inquiry.subject,
        groups=inquiry.groups,
        claims=claims,
    )


def _explained(policy: PolicyConfig | None, question: PolicyQuestion) -> Explanation:
    scope = decide_by_scope(question)
    if policy is None:
        return Explanation(scope, (), None, is_enforced=True)
    configs = engine_configs(policy)
    with ThreadPoolExecutor(len(configs)) as askers:
        verdicts = tuple(askers.map(lambda config: _ask(config, question), configs))
    is_enforced = policy.mode != "shadow"
    mode = policy.mode if policy.mode != "shadow" else "all_of"
    return Explanation(scope, verdicts, combine(mode, verdicts, fails_open=policy.fails_open), is_enforced)


def _ask(config: EngineConfig, question: PolicyQuestion) -> Verdict:
    engine = build_engine(config)
    began = time.perf_counter()
    try:
        answer = engine.ask(question)
        return answered(engine.name, answer, question, time.perf_counter() - began)
    except EngineFailure as failure:
        return failed(engine.name, failure, time.perf_counter() - began)
    finally:
        engine.close()
