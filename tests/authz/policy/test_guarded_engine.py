from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor

import pytest

from authz.config import PolicyBreakerConfig
from authz.decisions import PolicyQuestion
from authz.policy.base import EngineAnswer
from authz.policy.guarded import GuardedEngine
from authz.policy.verdict import WITHHELD, Verdict
from tests.authz.policy.clocks import Clock
from tests.authz.policy.fake_engine import CONFUSED, DOWN, NO, YES, FakeEngine
from tests.authz.policy.questions import identity, question

BREAKER = PolicyBreakerConfig(failures=3, reset_seconds=10)


@pytest.fixture
def fake() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
def engine(fake: FakeEngine, clock: Clock) -> GuardedEngine:
    return GuardedEngine(fake, cache_ttl_seconds=60, breaker=BREAKER, clock=clock)


def say(engine: GuardedEngine, asked: PolicyQuestion) -> Verdict:
    """As a bucket's policy has it: what is remembered, or what is said now."""
    return engine.recall(asked) or engine.ask(asked)


def test_an_answer_is_remembered_for_the_same_question(engine: GuardedEngine, fake: FakeEngine) -> None:
    first, again = say(engine, question()), say(engine, question())
    other = say(engine, question(size=6))

    assert [v.is_cached for v in (first, again, other)] == [False, True, False]
    assert [v.outcome for v in (first, again, other)] == ["allow"] * 3
    assert fake.asked == 2


def test_a_remembered_answer_is_asked_for_again_when_its_time_is_over(
    engine: GuardedEngine, fake: FakeEngine, clock: Clock
) -> None:
    say(engine, question())
    fake.says = NO
    clock.now += 59
    assert say(engine, question()).outcome == "allow"
    clock.now += 1

    assert say(engine, question()).outcome == "deny"


def test_a_no_is_remembered_too(engine: GuardedEngine, fake: FakeEngine) -> None:
    fake.says = NO

    assert [say(engine, question()).outcome for _ in range(3)] == ["deny"] * 3
    assert fake.asked == 1


@pytest.mark.parametrize("failure", [DOWN, CONFUSED], ids=["down", "confused"])
def test_a_failure_is_never_remembered(
    engine: GuardedEngine, fake: FakeEngine, failure: BaseException
) -> None:
    fake.says = failure
    assert say(engine, question()).outcome == "error"
    fake.says = YES

    assert say(engine, question()).outcome == "allow"


def test_a_remembered_answer_outlives_an_outage(engine: GuardedEngine, fake: FakeEngine) -> None:
    say(engine, question())
    fake.says = DOWN
    for size in range(10):
        say(engine, question(size=size))

    assert say(engine, question()).outcome == "allow"


def test_after_failures_on_end_it_is_left_alone_until_one_try_succeeds(
    engine: GuardedEngine, fake: FakeEngine, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    fake.says = DOWN
    reasons = [say(engine, question()).reason for _ in range(5)]
    assert reasons == ["connection_refused"] * 3 + ["breaker_open"] * 2
    assert fake.asked == 3

    clock.now += 10
    assert say(engine, question()).reason == "connection_refused"
    assert say(engine, question()).reason == "breaker_open"
    fake.says = YES
    clock.now += 10
    assert say(engine, question()).outcome == "allow"

    assert [(record.levelno, record.getMessage()) for record in caplog.records] == [
        (logging.ERROR, "opa is left alone: opa.example:8181 refuses connections"),
        (logging.WARNING, "opa answers again"),
    ]


def test_what_a_caller_can_provoke_never_opens_the_breaker(engine: GuardedEngine, fake: FakeEngine) -> None:
    fake.says = CONFUSED
    for _ in range(50):
        assert say(engine, question()).reason == "malformed_answer"
    fake.says = YES

    assert say(engine, question("bob")).outcome == "allow"


def test_an_unforeseen_error_in_its_one_try_does_not_keep_it_half_open(
    engine: GuardedEngine, fake: FakeEngine, clock: Clock
) -> None:
    fake.says = DOWN
    for _ in range(3):
        say(engine, question())
    clock.now += 10
    fake.says = ZeroDivisionError()
    with pytest.raises(ZeroDivisionError):
        say(engine, question())
    fake.says = YES
    clock.now += 10

    assert say(engine, question()).outcome == "allow"


def test_one_try_only_when_many_wait(engine: GuardedEngine, fake: FakeEngine, clock: Clock) -> None:
    fake.says = DOWN
    for _ in range(3):
        say(engine, question())
    clock.now += 10
    with ThreadPoolExecutor(8) as threads:
        reasons = list(threads.map(lambda n: say(engine, question(size=n)).reason, range(8)))

    assert sorted(reasons) == ["breaker_open"] * 7 + ["connection_refused"]


def test_the_numbers(engine: GuardedEngine, fake: FakeEngine) -> None:
    say(engine, question())
    say(engine, question())
    fake.says = NO
    say(engine, question("bob"))
    fake.says = DOWN
    for _ in range(4):
        say(engine, question("eve"))

    stats = engine.stats(["uploads"])

    assert (stats.engine, stats.endpoint, stats.buckets) == ("opa", "opa.example:8181", ("uploads",))
    assert (stats.allowed, stats.denied, stats.failed) == (2, 1, 4)
    assert (stats.cache_hits, stats.cache_entries, stats.breaker) == (1, 2, "open")
    assert stats.last_error == "opa.example:8181 refuses connections"
    assert stats.last_error_at > 0
    assert stats.mean_ms > 0


@pytest.mark.parametrize(
    ("reason", "shown"),
    [
        ("", "allowed"),
        ("quota reached", "quota reached"),
        ("rule 12: tier", "rule 12: tier"),
        ("anne may", WITHHELD),
        ("ANNE may", WITHHELD),
        ("for gold-customer", WITHHELD),
        ("as staff", WITHHELD),
        ("key a/b.txt", WITHHELD),
        ("from 192.0.2.7", WITHHELD),
        ("x" * 65, WITHHELD),
        ("<b>", WITHHELD),
        ("two\nlines", WITHHELD),
        ("é", WITHHELD),
    ],
    ids=range(13),
)
def test_a_reason_is_shown_when_it_is_plain_and_names_nobody(
    engine: GuardedEngine, fake: FakeEngine, reason: str, shown: str
) -> None:
    fake.says = EngineAnswer(True, reason)
    who = identity("anne", groups=("staff",), claims={"tier": "gold-customer", "n": 1})

    assert say(engine, question(identity=who)).reason == shown
