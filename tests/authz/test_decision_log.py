"""Decisions are kept for the operator, as many as is good, and no request waits for it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import DatabaseError

from authz.decision_log import KEPT_FOR, DecisionLog, Rates, prune
from authz.models import PolicyDecision
from authz.policy.combine import Combined
from authz.policy.verdict import Verdict
from tests.authz.policy.clocks import Clock
from tests.authz.policy.questions import identity, question

ALLOW = Combined("allow", "allowed", "opa", (Verdict("opa", "allow", "allowed", seconds=0.0021),))
DENY = Combined("deny", "denied", "opa", (Verdict("opa", "deny", "denied", seconds=0.0021),))
ERROR = Combined("error", "timeout", "openfga", (Verdict("openfga", "error", "timeout", seconds=2.0),))
OPEN = Combined("allow", "fails open", "", (), fell_open=True)
NOW = 1_790_000_000.0


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> DecisionLog:
    """Without its thread: the tests write themselves, in their own transaction."""
    monkeypatch.setattr(DecisionLog, "_begin", lambda self: None)
    return DecisionLog(Rates(allowed_share=0.0, others_per_second=3), Clock(NOW))


@pytest.mark.django_db
def test_who_was_refused_what_and_why(log: DecisionLog) -> None:
    who = identity(claims={"email": "anne@example.org"})
    asked = question(identity=who, operation="UploadPart", request_id="0af7651916cd43dd8448eb211c80319c")
    log.note(asked, DENY, True)
    log.flush()

    (row,) = PolicyDecision.objects.values()
    assert row.pop("id")
    assert row == {
        "decided_at": datetime.fromtimestamp(NOW, UTC),
        "request_id": "0af7651916cd43dd8448eb211c80319c",
        "principal": "jwt:anne",
        "action": "s3:PutObject",
        "operation": "UploadPart",
        "bucket": "uploads",
        "key": "a/b.txt",
        "outcome": "deny",
        "engine": "opa",
        "reason": "denied",
        "is_enforced": True,
        "duration_ms": 2.1,
    }


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("combined", "kept"),
    [(ALLOW, 0), (DENY, 3), (ERROR, 3), (OPEN, 3)],
    ids=["allow", "deny", "error", "open"],
)
def test_what_was_not_plainly_allowed_is_kept_up_to_a_rate(
    log: DecisionLog, combined: Combined, kept: int
) -> None:
    for _ in range(10):
        log.note(question(), combined, True)
    log.flush()

    assert PolicyDecision.objects.count() == kept


@pytest.mark.django_db
def test_the_rate_is_that_of_each_second() -> None:
    clock = Clock(NOW)
    log = DecisionLog(Rates(0.0, 3), clock)
    log._begin = lambda: None  # type: ignore[method-assign]
    for _ in range(4):
        for _ in range(5):
            log.note(question(), DENY, True)
        clock.now += 1
    log.flush()

    assert PolicyDecision.objects.count() == 12


@pytest.mark.django_db
@pytest.mark.parametrize(("share", "kept"), [(0.0, 0), (1.0, 50)])
def test_of_what_was_allowed_a_share_is_kept(
    share: float, kept: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(DecisionLog, "_begin", lambda self: None)
    log = DecisionLog(Rates(allowed_share=share))
    for _ in range(50):
        log.note(question(key=None), ALLOW, True)
    log.flush()

    assert PolicyDecision.objects.filter(key="").count() == kept


@pytest.mark.django_db
def test_a_shadows_outcome_is_kept_as_such(log: DecisionLog) -> None:
    log.note(question(), DENY, False)
    log.flush()

    assert PolicyDecision.objects.get().is_enforced is False


@pytest.mark.django_db
def test_the_number_of_rows_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(DecisionLog, "_begin", lambda self: None)
    log = DecisionLog(Rates(1.0), keep=30)
    for _ in range(5):
        for _ in range(20):
            log.note(question(), ALLOW, True)
        log.flush()

    assert PolicyDecision.objects.count() == 30


@pytest.mark.django_db
def test_old_ones_go(log: DecisionLog) -> None:
    log.note(question(), DENY, True)
    log.flush()
    kept_until = datetime.fromtimestamp(NOW, UTC) + KEPT_FOR

    prune(10, kept_until - KEPT_FOR)
    assert PolicyDecision.objects.count() == 1
    prune(10, kept_until - KEPT_FOR + timedelta(seconds=1))
    assert PolicyDecision.objects.count() == 0


def test_what_waits_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(DecisionLog, "_begin", lambda self: None)
    log = DecisionLog(Rates(1.0))
    for _ in range(5000):
        log.note(question(), ALLOW, True)

    assert len(log._waiting) == 1000


def test_a_database_that_is_away_is_told_of_and_no_more(
    log: DecisionLog, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def away(*args: Any) -> None:
        raise DatabaseError("away")

    monkeypatch.setattr(PolicyDecision.objects, "bulk_create", away)
    monkeypatch.setattr("authz.decision_log.connection.close", lambda: None)
    log.note(question(), DENY, True)

    log.flush()

    assert "1 decisions could not be recorded: away" in caplog.text


@pytest.mark.django_db(transaction=True)
def test_its_thread_writes_what_waits_when_it_is_closed() -> None:
    log = DecisionLog(Rates(1.0))
    for _ in range(3):
        log.note(question(), DENY, True)
    log.close()

    assert PolicyDecision.objects.count() == 3
