"""How the gateway is: what all workers counted lately, how they are, and whether what they need answers."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Final

from mizuchi_site.readiness import checks
from mizuchi_site.storage_watch import StorageWatch
from mizuchi_site.workers.roll import Worker, roll_call
from mizuchi_site.workers.summary import (
    EngineSummary,
    ExportSummary,
    SamplingSummary,
    engine_summaries,
    export_summaries,
    sampling_summary,
)
from tracing_app.health.base import Check, Health
from uploads.apps import configured_gateway
from uploads.statistics.figures import Figures, figures_of
from uploads.statistics.recorder import NO_BUCKET
from uploads.statistics.totals import Totals
from uploads.statistics.window import Statistics, Window, read_statistics

_DATABASE: Final = "database"


@dataclass(frozen=True, slots=True)
class Step:
    """The figures of one step of the window."""

    began_at: datetime
    figures: Figures


@dataclass(frozen=True, slots=True)
class BucketStatus:
    """``bucket`` is NO_BUCKET for requests that named none of the configuration."""

    bucket: str
    in_flight: int
    figures: Figures


@dataclass(frozen=True, slots=True)
class Status:
    """All that the status page shows, of the ``seconds`` up to ``at``; ``steps`` are those that are over."""

    window: Window
    at: datetime
    seconds: float
    in_flight: int
    figures: Figures
    steps: Sequence[Step]
    buckets: Sequence[BucketStatus]
    checks: Sequence[Health]
    exports: Sequence[ExportSummary]
    sampling: SamplingSummary
    engines: Sequence[EngineSummary]
    workers: Sequence[Worker]


def current_status(window: Window) -> Status:
    """How it is now. Takes two seconds at most, whatever the storages do. Raises DatabaseError."""
    counted = read_statistics(window, time.time())
    workers = roll_call()
    in_flight = _in_flight(workers)
    return Status(
        window=window,
        at=_moment(counted.ends_at),
        seconds=counted.seconds,
        in_flight=sum(in_flight.values()),
        figures=figures_of(counted.totals, counted.seconds),
        steps=[
            Step(_moment(point.began_at), figures_of(point.totals, window.step_seconds))
            for point in counted.points
        ],
        buckets=_buckets(counted, in_flight),
        checks=_health(),
        exports=export_summaries(workers),
        sampling=sampling_summary(workers),
        engines=engine_summaries(workers),
        workers=workers,
    )


def _in_flight(workers: Sequence[Worker]) -> Mapping[str, int]:
    found: dict[str, int] = {}
    for worker in workers:
        if not worker.is_gone:
            for bucket, count in worker.in_flight.items():
                found[bucket] = found.get(bucket, 0) + count
    return found


def _buckets(counted: Statistics, in_flight: Mapping[str, int]) -> list[BucketStatus]:
    """Those of the configuration in its order, then what was counted besides."""
    names = dict.fromkeys([*configured_gateway().buckets, *sorted({*counted.buckets, *in_flight})])
    if NO_BUCKET in names:
        names[NO_BUCKET] = names.pop(NO_BUCKET)  # the last
    return [
        BucketStatus(
            name,
            in_flight.get(name, 0),
            figures_of(counted.buckets.get(name, Totals()), counted.seconds),
        )
        for name in names
    ]


def _health() -> list[Health]:
    """What readiness asks, too. A storage may hang, and is waited for in a thread; the database was read by
    now."""
    database = [check.run() for check in checks() if check.name == _DATABASE]
    return [*database, *_watch().outcomes().values()]


@cache
def _watch() -> StorageWatch:
    return StorageWatch(_watched_checks)


def _watched_checks() -> Sequence[Check]:
    return [check for check in checks() if check.name != _DATABASE]


def _moment(unix: float) -> datetime:
    return datetime.fromtimestamp(unix, UTC)
