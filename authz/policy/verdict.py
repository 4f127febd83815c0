"""What one engine, and all of them together, said of a question; in words that may be shown."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from authz.decisions import PolicyQuestion

from .base import EngineAnswer, EngineFailure, EngineName

Outcome = Literal["allow", "deny", "error"]
_ENGINES_REASONS = {True: "allowed", False: "denied"}
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9 _.,:-]{0,63}")
_SHORTEST_NAME = 3
WITHHELD = "reason not shown"
BREAKER_OPEN = "breaker_open"


@dataclass(frozen=True, slots=True)
class Verdict:
    """One engine's. ``reason`` is low in cardinality and names nobody; ``detail`` is for the operator."""

    engine: EngineName
    outcome: Outcome
    reason: str
    detail: str = ""
    decision_id: str = ""
    is_cached: bool = False
    seconds: float = 0.0

    @property
    def milliseconds(self) -> float:
        return self.seconds * 1e3


def answered(
    engine: EngineName,
    answer: EngineAnswer,
    question: PolicyQuestion,
    seconds: float,
    *,
    is_cached: bool = False,
) -> Verdict:
    """The verdict of an answer, with the policy author's reason as far as it may be shown."""
    return Verdict(
        engine,
        "allow" if answer.is_allowed else "deny",
        shown_reason(answer.reason, question) or _ENGINES_REASONS[answer.is_allowed],
        answer.reason[:200],
        answer.decision_id,
        is_cached,
        seconds,
    )


def failed(engine: EngineName, failure: EngineFailure, seconds: float) -> Verdict:
    """The verdict of a failure."""
    return Verdict(engine, "error", failure.code, failure.detail, seconds=seconds)


def shown_reason(reason: str, question: PolicyQuestion) -> str:
    """A reason for spans and logs: short, plain, and without what the question tells of a person.

    A policy's author can write anything into it, the subject's address for one.
    """
    if not reason:
        return ""
    lowered = reason.lower()
    if not _PLAIN.fullmatch(reason) or any(word.lower() in lowered for word in _personal(question)):
        return WITHHELD
    return reason


def _personal(question: PolicyQuestion) -> Iterator[str]:
    identity = question.identity
    claims = (value for value in identity.claims.values() if isinstance(value, str))
    words = (
        identity.subject,
        identity.principal,
        question.key or "",
        question.client_ip,
        *identity.groups,
        *claims,
    )
    return (word for word in words if len(word) >= _SHORTEST_NAME)
