"""Keeps recent decisions of policies in the database, without a request waiting for it.

All that were not plainly allowed are kept, up to a rate, and a sample of the rest.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from authz.batch_writer import BatchWriter, Kept
from authz.decisions import PolicyQuestion
from authz.models import PolicyDecision
from authz.policy.combine import Combined

KEPT = Kept(rows=10_000, age=timedelta(days=30), since="decided_at")


@dataclass(frozen=True, slots=True)
class Rates:
    """``allowed_share`` of what is allowed is kept; of the rest ``others_per_second``."""

    allowed_share: float = 0.01
    others_per_second: int = 20


class DecisionLog:
    """Thread-safe."""

    def __init__(
        self, rates: Rates | None = None, clock: Callable[[], float] = time.time, kept: Kept = KEPT
    ) -> None:
        self._rates = rates or Rates()
        self._clock = clock
        self._writer = BatchWriter(PolicyDecision, kept, clock)
        self._lock = threading.Lock()
        self._second = 0
        self._this_second = 0

    def note(self, question: PolicyQuestion, combined: Combined, is_enforced: bool) -> None:
        """Keep the decision, or not."""
        now = self._clock()
        if self._keeps(combined, now):
            self._writer.add(_row(question, combined, is_enforced, now))

    def flush(self) -> None:
        """Write what waits now."""
        self._writer.flush()

    def close(self) -> None:
        """Write what waits; within two seconds."""
        self._writer.close()

    def _keeps(self, combined: Combined, now: float) -> bool:
        if combined.outcome == "allow" and not combined.fell_open:
            return random.random() < self._rates.allowed_share  # noqa: S311 - a sample, not a secret
        with self._lock:
            if int(now) != self._second:
                self._second, self._this_second = int(now), 0
            self._this_second += 1
            return self._this_second <= self._rates.others_per_second


def _row(question: PolicyQuestion, combined: Combined, is_enforced: bool, now: float) -> PolicyDecision:
    return PolicyDecision(
        decided_at=datetime.fromtimestamp(now, UTC),
        request_id=question.request_id,
        principal=question.identity.principal,
        action=question.action,
        operation=question.operation,
        bucket=question.bucket,
        key=question.key or "",
        outcome=combined.outcome,
        engine=combined.engine,
        reason=combined.reason,
        is_enforced=is_enforced,
        duration_ms=_milliseconds(combined),
    )


def _milliseconds(combined: Combined) -> float:
    return round(sum(verdict.seconds for verdict in combined.verdicts) * 1e3, 3)
