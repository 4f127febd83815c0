"""Keeps recent decisions of policies in the database, without a request waiting for it.

All that were not plainly allowed are kept, up to a rate, and a sample of the rest. One thread of the process
writes them in batches and keeps their number within bounds; what comes faster than it writes is lost.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db import DatabaseError, connection
from django.db.models import Max

from authz.decisions import PolicyQuestion
from authz.models import PolicyDecision
from authz.policy.combine import Combined

logger = logging.getLogger(__name__)

KEPT = 10_000
KEPT_FOR = timedelta(days=30)
_WAITING = 1000
_BATCH_SECONDS = 1.0
_CLOSING_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Rates:
    """``allowed_share`` of what is allowed is kept; of the rest ``others_per_second``."""

    allowed_share: float = 0.01
    others_per_second: int = 20


class DecisionLog:
    """Thread-safe. The thread begins with the first decision that is kept, and ends with ``close``."""

    def __init__(
        self, rates: Rates | None = None, clock: Callable[[], float] = time.time, keep: int = KEPT
    ) -> None:
        self._rates = rates or Rates()
        self._clock = clock
        self._keep = keep
        self._waiting: deque[PolicyDecision] = deque(maxlen=_WAITING)
        self._is_closing = threading.Event()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._second = 0
        self._this_second = 0

    def note(self, question: PolicyQuestion, combined: Combined, is_enforced: bool) -> None:
        """Keep the decision, or not."""
        now = self._clock()
        if self._keeps(combined, now):
            self._waiting.append(_row(question, combined, is_enforced, now))
            self._begin()

    def close(self) -> None:
        """Write what waits; within two seconds."""
        self._is_closing.set()
        if self._thread is not None:
            self._thread.join(_CLOSING_SECONDS)

    def _keeps(self, combined: Combined, now: float) -> bool:
        if combined.outcome == "allow" and not combined.fell_open:
            return random.random() < self._rates.allowed_share  # noqa: S311 - a sample, not a secret
        with self._lock:
            if int(now) != self._second:
                self._second, self._this_second = int(now), 0
            self._this_second += 1
            return self._this_second <= self._rates.others_per_second

    def _begin(self) -> None:
        if self._thread is None:
            with self._lock:
                if self._thread is None:
                    self._thread = threading.Thread(target=self._write, name="decision-log", daemon=True)
                    self._thread.start()

    def _write(self) -> None:
        try:
            while not self._is_closing.wait(_BATCH_SECONDS):
                self.flush()
            self.flush()
        finally:
            connection.close()

    def flush(self) -> None:
        """Write what waits now. A database that is away loses a batch and no more."""
        rows = [self._waiting.popleft() for _ in range(len(self._waiting))]
        if not rows:
            return
        try:
            PolicyDecision.objects.bulk_create(rows)
            prune(self._keep, datetime.fromtimestamp(self._clock(), UTC) - KEPT_FOR)
        except DatabaseError as error:
            logger.warning("%d decisions could not be recorded: %s", len(rows), error)
            connection.close()


def prune(keep: int, decided_after: datetime) -> None:
    """Delete all but the newest so many, and all that are older."""
    newest = PolicyDecision.objects.aggregate(newest=Max("id"))["newest"] or 0
    PolicyDecision.objects.filter(id__lte=newest - keep).delete()
    PolicyDecision.objects.filter(decided_at__lt=decided_after).delete()


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
