"""Which workers there are, by what they last said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import DurationField, ExpressionWrapper, F
from django.db.models.functions import Now

from mizuchi_site.models import WorkerReport

SILENT_SECONDS: Final = 20.0
FORGOTTEN: Final = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Worker:
    """A worker as it last was. ``tracing`` and ``engines`` as ``report`` writes them; times of a worker on
    another node are by the clock of the database."""

    worker: str
    node: str
    pid: int
    version: str
    started_at: datetime
    memory_bytes: int | None
    in_flight: Mapping[str, int]
    tracing: Mapping[str, Any]
    engines: list[dict[str, Any]]
    silent_seconds: float

    @property
    def is_gone(self) -> bool:
        """It has said nothing for long, and did not say goodbye."""
        return self.silent_seconds > SILENT_SECONDS


def roll_call() -> list[Worker]:
    """Those at work first, by node and pid. Raises DatabaseError."""
    silent = ExpressionWrapper(Now() - F("reported_at"), output_field=DurationField())
    reports = WorkerReport.objects.annotate(silent=silent)
    return sorted(map(_worker, reports), key=lambda worker: (worker.is_gone, worker.node, worker.pid))


def prune_reports() -> None:
    """Forget those that have been silent for ``FORGOTTEN``. Raises DatabaseError."""
    WorkerReport.objects.filter(reported_at__lt=Now() - FORGOTTEN).delete()


def _worker(report: Any) -> Worker:
    return Worker(
        worker=report.worker,
        node=report.node,
        pid=report.pid,
        version=report.version,
        started_at=report.started_at,
        memory_bytes=report.memory_bytes,
        in_flight=report.in_flight,
        tracing=report.tracing,
        engines=report.engines,
        silent_seconds=max(report.silent.total_seconds(), 0.0),
    )
