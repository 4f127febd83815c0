"""From a question to being let in or refused."""

from __future__ import annotations

import logging
from typing import Any, Literal

import pytest

from authz.config import PolicyBreakerConfig, PolicyConfig
from authz.decisions import PolicyQuestion
from authz.errors import AccessDenied, PolicyUnavailable
from authz.identity import BucketScope
from authz.permissions import Authorizer
from authz.policy.base import EngineAnswer
from authz.policy.bucket_policy import BucketPolicy
from authz.policy.combine import Combined
from authz.policy.guarded import GuardedEngine
from tests.authz.policy.fake_engine import DOWN, NO, YES, FakeEngine
from tests.authz.policy.questions import identity, question

Noted = list[tuple[PolicyQuestion, Combined, bool]]
SAID = EngineAnswer(False, "anne is on the list of 2026")


@pytest.fixture
def noted() -> Noted:
    return []


def authorizer(
    noted: Noted,
    *engines: FakeEngine,
    mode: Literal["all_of", "any_of", "shadow"] = "all_of",
    fails_open: bool = False,
) -> Authorizer:
    guarded = [
        GuardedEngine(engine, cache_ttl_seconds=60, breaker=PolicyBreakerConfig()) for engine in engines
    ]
    policy = BucketPolicy(PolicyConfig(mode, fails_open=fails_open), guarded)
    return Authorizer({"uploads": policy}, lambda *outcome: noted.append(outcome))


def test_a_bucket_without_a_policy_asks_nobody(noted: Noted) -> None:
    engine = FakeEngine(NO)

    authorizer(noted, engine).authorize(question(bucket="others"))

    assert (engine.asked, noted) == (0, [])


def test_the_scope_of_the_key_comes_first_and_no_policy_widens_it(noted: Noted) -> None:
    engine = FakeEngine(YES)
    narrow = identity(scope=BucketScope(frozenset({"others"})))

    with pytest.raises(AccessDenied) as refusal:
        authorizer(noted, engine).authorize(question(identity=narrow))
    assert refusal.value.reason == "bucket out of scope"
    assert (engine.asked, noted) == (0, [])


def test_a_key_that_is_somebody_elses_is_told_apart(noted: Noted) -> None:
    narrow = identity(scope=BucketScope(prefixes={"uploads": ("users/alice/",)}))

    with pytest.raises(AccessDenied, match="your own folder") as refusal:
        authorizer(noted, FakeEngine(YES)).authorize(question(identity=narrow))
    assert refusal.value.reason == "key out of scope"


def test_allowed(noted: Noted) -> None:
    asked = question()
    authorizer(noted, FakeEngine(YES)).authorize(asked)

    ((noted_question, combined, is_enforced),) = noted
    assert (noted_question, combined.outcome, is_enforced) == (asked, "allow", True)


def test_denied_and_the_client_is_not_told_the_policys_words(noted: Noted) -> None:
    with pytest.raises(AccessDenied) as refusal:
        authorizer(noted, FakeEngine(SAID)).authorize(question())

    assert (refusal.value.code, refusal.value.status) == ("AccessDenied", 403)
    assert "s3:PutObject" in refusal.value.message
    assert "list" not in refusal.value.message
    assert refusal.value.reason == "denied by opa: reason not shown"
    assert noted[0][1].outcome == "deny"


def test_no_answer_is_no_yes(noted: Noted) -> None:
    with pytest.raises(PolicyUnavailable) as refusal:
        authorizer(noted, FakeEngine(DOWN)).authorize(question())

    assert (refusal.value.code, refusal.value.status) == ("ServiceUnavailable", 503)
    assert int(refusal.value.headers["Retry-After"]) > 0
    assert refusal.value.reason == "no answer of opa: connection_refused"
    assert noted[0][1].outcome == "error"


def test_an_unforeseen_error_lets_nobody_in(noted: Noted) -> None:
    with pytest.raises(ZeroDivisionError):
        authorizer(noted, FakeEngine(ZeroDivisionError())).authorize(question())


def test_fails_open_when_so_configured_and_says_so(noted: Noted, caplog: pytest.LogCaptureFixture) -> None:
    asked = question()
    authorizer(noted, FakeEngine(DOWN), fails_open=True).authorize(asked)

    assert noted[0][1].fell_open
    (line,) = [each.getMessage() for each in caplog.records if each.name == "authz.permissions"]
    assert line == f"request {asked.request_id} is let in without an answer: fails_open"


@pytest.mark.parametrize("says", [SAID, DOWN], ids=["deny", "error"])
def test_shadow_never_refuses_and_records(noted: Noted, says: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "authz.permissions")
    first, second = FakeEngine(says), FakeEngine(YES, name="openfga")
    asked = question()

    authorizer(noted, first, second, mode="shadow").authorize(asked)

    assert (first.asked, second.asked) == (1, 1), "each is asked: that is what it is for"
    ((_, combined, is_enforced),) = noted
    assert not is_enforced
    assert combined.outcome != "allow"
    (line,) = [each.getMessage() for each in caplog.records if each.name == "authz.permissions"]
    assert line.startswith(f"request {asked.request_id} would be refused by opa: ")
    assert "anne" not in line


def test_shadow_never_refuses_not_even_for_a_fault_of_ours(
    noted: Noted, caplog: pytest.LogCaptureFixture
) -> None:
    authorizer(noted, FakeEngine(ZeroDivisionError()), mode="shadow").authorize(question())

    assert "the policy in shadow failed unforeseen" in caplog.text


def test_an_engine_that_remembers_is_asked_before_one_that_does_not(noted: Noted) -> None:
    opa, openfga = FakeEngine(DOWN), FakeEngine(NO, name="openfga")
    both = authorizer(noted, opa, openfga, fails_open=True)
    for _ in range(2):
        with pytest.raises(AccessDenied):
            both.authorize(question())

    assert (opa.asked, openfga.asked) == (1, 1), "the remembered deny decides before OPA is asked again"
