"""Puts one question to a bucket's policy and keeps each answer, as ``manage.py authz_explain`` shows it."""

from __future__ import annotations

import time
from dataclasses import dataclass

from authz.config import BucketAuth, PolicyConfig
from authz.decisions import Decision, PolicyQuestion, decide_by_scope
from authz.identity import AuthMethod, BucketScope, Identity
from authz.jwt.principal import token_principal
from authz.key_template import own_scope
from authz.policy.base import EngineFailure
from authz.policy.combine import Combined, combine
from authz.policy.factory import EngineConfig, build_engine, engine_configs
from authz.policy.verdict import Verdict, answered, failed


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is said to call. ``claims`` may be more than the bucket lets through."""

    subject: str
    method: AuthMethod
    groups: tuple[str, ...] = ()
    claims: dict[str, object] | None = None


@dataclass(frozen=True, slots=True)
class Explanation:
    """``verdicts`` of all engines, also those that a request would not have asked any more; ``combined`` is
    None in a bucket without a policy."""

    scope: Decision
    verdicts: tuple[Verdict, ...]
    combined: Combined | None
    is_enforced: bool

    @property
    def outcome(self) -> str:
        """What a request would meet."""
        if not self.scope.is_allowed:
            return "deny"
        return "allow" if self.combined is None or not self.is_enforced else self.combined.outcome


def explain(policy: PolicyConfig | None, question: PolicyQuestion) -> Explanation:
    """Asks the real engines; nothing is remembered, and no breaker is in the way."""
    scope = decide_by_scope(question)
    if policy is None:
        return Explanation(scope, (), None, is_enforced=True)
    verdicts = tuple(_ask(config, question) for config in engine_configs(policy))
    is_enforced = policy.mode != "shadow"
    mode = policy.mode if policy.mode != "shadow" else "all_of"
    return Explanation(scope, verdicts, combine(mode, verdicts, fails_open=policy.fails_open), is_enforced)


def identity_of(caller: Caller, bucket: str, rules: BucketAuth) -> Identity:
    """As authentication would have it: claims as far as they are let through, keys as far as they are theirs.
    The buckets of an access key are not known here."""
    principal, claims = caller.subject, caller.claims or {}
    if caller.method == "jwt" and rules.jwt is not None:
        principal = token_principal(next(iter(rules.jwt.issuers), ""), caller.subject)
        claims = {name: value for name, value in claims.items() if name in rules.jwt.claims}
    return Identity(
        principal=principal,
        method=caller.method,
        scope=own_scope(BucketScope(), bucket, rules.key_template, caller.subject),
        subject=caller.subject,
        groups=caller.groups,
        claims=claims,
    )


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
