"""What a worker process says of itself. Nothing of it is a secret."""

from __future__ import annotations

import dataclasses
import os
import resource
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from django.db.models.functions import Now
from django.utils import timezone

from authz.apps import authz_app
from authz.health import engines
from mizuchi_site.models import WorkerReport
from tracing_app.logs.log_export import log_export_stats
from tracing_app.provider import current_tracing
from tracing_app.version import VERSION
from uploads.statistics.recorder import RequestRecorder
from uploads.worker import worker_name

_CHANGING: Final = ["reported_at", "memory_bytes", "in_flight", "tracing", "engines"]


def current_report(recorder: RequestRecorder, started_at: datetime | None = None) -> WorkerReport:
    """How this process is now; not saved."""
    name = worker_name()
    return WorkerReport(
        worker=name,
        node=name.partition(":")[0],
        pid=os.getpid(),
        version=VERSION,
        started_at=started_at or timezone.now(),
        reported_at=Now(),
        memory_bytes=resident_bytes(),
        in_flight=dict(recorder.in_flight()),
        tracing=_tracing(),
        engines=_engines(),
    )


def write_report(report: WorkerReport) -> None:
    """In place of the one before. One statement. Raises DatabaseError."""
    WorkerReport.objects.bulk_create(
        [report], update_conflicts=True, unique_fields=["worker"], update_fields=_CHANGING
    )


def remove_report(worker: str) -> None:
    """Of a worker that ends. Raises DatabaseError."""
    WorkerReport.objects.filter(worker=worker).delete()


def resident_bytes() -> int | None:
    """Memory of this process that is in RAM (``/proc/self/statm``); None where there is no such file."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        return None
    return pages * resource.getpagesize()


def _tracing() -> dict[str, Any]:
    """By ``export``, ``store``, ``sampling`` and ``logs``: the statistics of each that is at work; and the
    ``revision`` of the live settings that it samples by."""
    tracing, logs = current_tracing(), log_export_stats()
    told: dict[str, Any] = {}
    if tracing is not None:
        told["revision"] = tracing.control.revision
        told["sampling"] = dataclasses.asdict(tracing.sampler.stats())
        for name, worker in (("export", tracing.exporter), ("store", tracing.store)):
            if worker is not None:
                told[name] = dataclasses.asdict(worker.stats())
    if logs is not None:
        told["logs"] = dataclasses.asdict(logs)
    return told


def _engines() -> list[dict[str, Any]]:
    known = engines(authz_app().authorizer.policies)
    return [dataclasses.asdict(engine.stats(buckets)) for engine, buckets in known]
