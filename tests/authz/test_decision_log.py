"""Decisions are kept for the operator, as many as is good, and no request waits for it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from authz.batch_writer import BatchWriter
from authz.decision_log import DecisionLog, Rates
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


@pytest.fixture(autouse=True)
def no_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests write themselves, in their own transaction."""
    monkeypatch.setattr(BatchWriter, "_begin", lambda self: None)


@pytest.fixture
def log() -> DecisionLog:
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
    for _ in range(4):
        for _ in range(5):
            log.note(question(), DENY, True)
        clock.now += 1
    log.flush()

    assert PolicyDecision.objects.count() == 12


@pytest.mark.django_db
@pytest.mark.parametrize(("share", "kept"), [(0.0, 0), (1.0, 50)])
def test_of_what_was_allowed_a_share_is_kept(share: float, kept: int) -> None:
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
