"""What the workers say of export and policy engines, in one: counts added up, the worst of states, the
newest of errors. Workers that are gone do not count.

Nodes are upgraded one after the other: what a worker of another version does not tell is as if it were none.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Literal

from .roll import Worker

ExportName = Literal["export", "store", "logs"]
EXPORTS: Final[tuple[ExportName, ...]] = ("export", "store", "logs")
STATES: Final = ("healthy", "failing", "spooling", "losing", "rejecting")
"""Of an export, the better first."""


@dataclass(frozen=True, slots=True)
class ExportSummary:
    """An export: of spans to the collector (``export``) or to the store on this machine (``store``), of
    records to the collector (``logs``). Counts are since each worker began. ``breakers`` counts workers by
    the state of theirs. ``spooled`` spans of all nodes lie in ``spool_bytes``."""

    name: ExportName
    state: str
    breakers: Mapping[str, int]
    exported: int
    queued: int
    in_flight: int
    retries: int
    rejected: int
    dropped: Mapping[str, int]
    spooled: int
    spool_bytes: int
    last_success_at: datetime | None
    last_error: str
    last_error_at: datetime | None


@dataclass(frozen=True, slots=True)
class SamplingSummary:
    """Traces since each worker began, by why they were kept or dropped; ``held`` are undecided."""

    kept: Mapping[str, int]
    dropped: Mapping[str, int]
    held: int


@dataclass(frozen=True, slots=True)
class EngineSummary:
    """A policy engine as all workers know it. ``mean_ms`` is the mean of theirs, 0 when none has asked."""

    engine: str
    endpoint: str
    buckets: tuple[str, ...]
    breakers: Mapping[str, int]
    allowed: int
    denied: int
    failed: int
    cache_hits: int
    mean_ms: float
    last_error: str
    last_error_at: datetime | None


def export_summaries(workers: Iterable[Worker]) -> list[ExportSummary]:
    """Of every export that a worker has."""
    present = [worker for worker in workers if not worker.is_gone]
    told = {name: [worker for worker in present if name in worker.tracing] for name in EXPORTS}
    return [_export(name, those) for name, those in told.items() if those]


def sampling_summary(workers: Iterable[Worker]) -> SamplingSummary:
    """Of all workers that record traces."""
    stats = [worker.tracing.get("sampling", {}) for worker in workers if not worker.is_gone]
    return SamplingSummary(
        _merged(stats, "traces_kept"), _merged(stats, "traces_dropped"), _sum(stats, "traces_held")
    )


def engine_summaries(workers: Iterable[Worker]) -> list[EngineSummary]:
    """Of every engine, in the order of the configuration."""
    told: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for worker in workers:
        if not worker.is_gone:
            for engine in worker.engines:
                told.setdefault((engine["engine"], engine["endpoint"]), []).append(engine)
    return [_engine(*names, stats) for names, stats in told.items()]


def _export(name: ExportName, workers: Sequence[Worker]) -> ExportSummary:
    stats = [worker.tracing[name] for worker in workers]
    unit = "records" if name == "logs" else "spans"
    spools = {worker.node: worker.tracing[name].get("spool", {}) for worker in workers}.values()
    error, error_at = _newest_error(stats)
    return ExportSummary(
        name=name,
        state=max((each.get("state", "") for each in stats), key=_badness),
        breakers=_counted(stats, "breaker"),
        exported=_sum(stats, f"{unit}_exported"),
        queued=_sum(stats, f"queue_{unit}"),
        in_flight=_sum(stats, f"in_flight_{unit}"),
        retries=_sum(stats, "retries"),
        rejected=_sum(stats, f"{unit}_rejected"),
        dropped=_merged(stats, f"{unit}_dropped"),
        spooled=_sum(spools, "spans"),
        spool_bytes=_sum(spools, "bytes"),
        last_success_at=_moment(max((each.get("last_success_at") or 0.0) for each in stats)),
        last_error=error,
        last_error_at=error_at,
    )


def _engine(name: str, endpoint: str, stats: Sequence[Mapping[str, Any]]) -> EngineSummary:
    means = [each["mean_ms"] for each in stats if each.get("mean_ms")]
    error, error_at = _newest_error(stats)
    return EngineSummary(
        engine=name,
        endpoint=endpoint,
        buckets=tuple(stats[0].get("buckets", ())),
        breakers=_counted(stats, "breaker"),
        allowed=_sum(stats, "allowed"),
        denied=_sum(stats, "denied"),
        failed=_sum(stats, "failed"),
        cache_hits=_sum(stats, "cache_hits"),
        mean_ms=sum(means) / len(means) if means else 0.0,
        last_error=error,
        last_error_at=error_at,
    )


def _badness(state: str) -> int:
    """The place in ``STATES``; what another version may have besides is the worst."""
    return STATES.index(state) if state in STATES else len(STATES)


def _sum(stats: Iterable[Mapping[str, Any]], name: str) -> int:
    return sum(each.get(name, 0) for each in stats)


def _merged(stats: Iterable[Mapping[str, Any]], name: str) -> Mapping[str, int]:
    return dict(sum((Counter(each.get(name, {})) for each in stats), Counter[str]()))


def _counted(stats: Iterable[Mapping[str, Any]], name: str) -> Mapping[str, int]:
    return dict(Counter(each[name] for each in stats if name in each))


def _newest_error(stats: Iterable[Mapping[str, Any]]) -> tuple[str, datetime | None]:
    newest = max(stats, key=lambda each: each.get("last_error_at") or 0.0)
    return newest.get("last_error", ""), _moment(newest.get("last_error_at"))


def _moment(unix: float | None) -> datetime | None:
    """None for never, which some write as 0."""
    return datetime.fromtimestamp(unix, UTC) if unix else None
