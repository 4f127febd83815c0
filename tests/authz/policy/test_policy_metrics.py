"""What policy engines say is counted by what may be shown of it."""

from __future__ import annotations

import pytest

from authz.config import PolicyBreakerConfig, PolicyConfig
from authz.errors import AccessDenied, PolicyUnavailable
from authz.metrics import ASKED_SECONDS, DECISIONS, REFUSALS
from authz.permissions import Authorizer
from authz.policy.base import EngineAnswer
from authz.policy.bucket_policy import BucketPolicy
from authz.policy.guarded import GuardedEngine
from tests.authz.policy.fake_engine import DOWN, YES, FakeEngine
from tests.authz.policy.questions import question
from tracing_app.metrics import families
from tracing_app.metrics.families import note_in
from tracing_app.metrics.noted import NotedMetrics
from tracing_app.metrics.readings import Distribution, Readings

NO = EngineAnswer(False, "anne is on the list of 2026")


@pytest.fixture
def noted(monkeypatch: pytest.MonkeyPatch) -> NotedMetrics:
    noted = NotedMetrics(set)
    monkeypatch.setattr(families._Noting, "notes", None)
    note_in(noted.notes, lambda: "")
    return noted


def authorizer(*engines: FakeEngine, is_shadow: bool = False) -> Authorizer:
    guarded = [
        GuardedEngine(engine, cache_ttl_seconds=60, breaker=PolicyBreakerConfig(failures=1))
        for engine in engines
    ]
    policy = BucketPolicy(PolicyConfig("shadow" if is_shadow else "all_of"), guarded)
    return Authorizer({"uploads": policy}, lambda *outcome: None)


def test_answers_that_are_asked_for_and_remembered(noted: NotedMetrics) -> None:
    lets_in = authorizer(FakeEngine(YES))
    for _ in range(3):
        lets_in.authorize(question())

    readings = Readings(noted.collect())
    assert readings.of(DECISIONS) == {
        ("opa", "allow", "engine", "enforced", ""): 1.0,
        ("opa", "allow", "cache", "enforced", ""): 2.0,
    }
    ((labels, asked),) = readings.of(ASKED_SECONDS).items()
    assert isinstance(asked, Distribution)
    assert (labels, sum(asked.counts)) == (("opa", "allow"), 1)


def test_a_refusal_and_what_would_be_one(noted: NotedMetrics) -> None:
    with pytest.raises(AccessDenied):
        authorizer(FakeEngine(NO)).authorize(question())
    authorizer(FakeEngine(NO), is_shadow=True).authorize(question())

    readings = Readings(noted.collect())
    assert readings.of(DECISIONS) == {
        ("opa", "deny", "engine", "enforced", ""): 1.0,
        ("opa", "deny", "engine", "shadow", ""): 1.0,
    }
    assert readings.of(REFUSALS) == {("policy",): 1.0}
    assert "anne" not in repr(list(readings.all()))


def test_an_engine_that_is_down_is_not_timed_while_it_is_left_alone(noted: NotedMetrics) -> None:
    shut = authorizer(FakeEngine(DOWN))
    for size in (1, 2):
        with pytest.raises(PolicyUnavailable):
            shut.authorize(question(size=size))

    readings = Readings(noted.collect())
    errors = {labels[-1]: count for labels, count in readings.of(DECISIONS).items()}
    assert errors == {DOWN.code: 1.0, "breaker_open": 1.0}
    (asked,) = readings.of(ASKED_SECONDS).values()
    assert isinstance(asked, Distribution)
    assert sum(asked.counts) == 1
    assert readings.of(REFUSALS) == {("no_answer",): 2.0}
