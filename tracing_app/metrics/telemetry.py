"""What telemetry says of itself: what was sampled, what became of what is exported."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Final, get_args

from tracing_app.exporting.state_log import ExportState

from .families import Counter, Family, Gauge, Label
from .readings import Reading

if TYPE_CHECKING:
    from tracing_app.assembly import Tracing
    from tracing_app.exporting.stats import DropReason, ExportStats
    from tracing_app.logs.log_export import LogExportStats

_EXPORTER: Final = Label("exporter", "mizuchi.exporter")
_DECISION: Final = (
    Label("decision", "mizuchi.sampling.decision"),
    Label("reason", "mizuchi.sampling.reason"),
)

SAMPLED_TRACES = Counter(
    "mizuchi_sampler_traces",
    "Traces that were kept or dropped, and why.",
    otlp="mizuchi.sampler.traces",
    labels=_DECISION,
)
SAMPLED_SPANS = Counter(
    "mizuchi_sampler_spans",
    "Spans of the traces that were kept or dropped.",
    otlp="mizuchi.sampler.spans",
    labels=_DECISION,
)
HELD_TRACES = Gauge(
    "mizuchi_sampler_held_traces",
    "Requests of multipart uploads in progress whose traces are not decided about.",
    otlp="mizuchi.sampler.held_traces",
)
HELD_BYTES = Gauge(
    "mizuchi_sampler_held_bytes",
    "Memory that the undecided traces take.",
    otlp="mizuchi.sampler.held",
    unit="bytes",
)


def _counter(what: str, description: str, *labels: Label) -> Counter:
    name = f"mizuchi_exporter_{what}"
    return Counter(name, description, otlp=f"mizuchi.exporter.{what}", labels=(_EXPORTER, *labels))


def _gauge(what: str, description: str, *labels: Label, is_maximum: bool = False) -> Gauge:
    return Gauge(
        f"mizuchi_exporter_{what}",
        description,
        otlp=f"mizuchi.exporter.{what}",
        labels=(_EXPORTER, *labels),
        is_maximum=is_maximum,
    )


OFFERED = _counter("offered_items", "Spans (of logs: records) that were to be exported.")
EXPORTED = _counter(
    "exported_items", "Spans (of logs: records) that the collector, or the local store, took."
)
REJECTED = _counter(
    "rejected_items", "Spans (of logs: records) that the collector, or the local store, refused."
)
DROPPED = _counter(
    "dropped_items",
    "Spans (of logs: records) that were lost, and why.",
    Label("reason", "mizuchi.drop.reason"),
)
RETRIES = _counter("retries", "Requests to the collector that were tried again.")
QUEUED = _gauge("queued_items", "Spans (of logs: records) that wait in memory.")
IN_FLIGHT = _gauge("in_flight_items", "Spans that are being sent.")
STATE = _gauge("state", "Workers whose export is in that state.", Label("state", "mizuchi.exporter.state"))
BREAKERS = _gauge("open_breakers", "Workers that leave the collector alone for a while.")
SPOOLED = _gauge("spooled_items", "Spans that wait on this node's disk.", is_maximum=True)
SPOOL_BYTES = Gauge(
    "mizuchi_exporter_spool_bytes",
    "Disk that the waiting spans take.",
    otlp="mizuchi.exporter.spool",
    labels=(_EXPORTER,),
    unit="bytes",
    is_maximum=True,
)
LAST_SUCCESS = Gauge(
    "mizuchi_exporter_last_success_timestamp_seconds",
    "When an export last went well, in Unix time.",
    otlp="mizuchi.exporter.last_success",
    labels=(_EXPORTER,),
    unit="seconds",
    is_maximum=True,
)


def telemetry_source(
    tracing: Tracing | None, log_stats: Callable[[], LogExportStats | None]
) -> Callable[[], Iterator[Reading]]:
    """The numbers of this process's tracing and of its export of logs; of what is not at work, none."""

    def collect() -> Iterator[Reading]:
        if tracing is not None:
            yield from _sampling(tracing)
            for name, worker in (("collector", tracing.exporter), ("store", tracing.store)):
                if worker is not None:
                    yield from _spans(name, worker.stats())
        if (logs := log_stats()) is not None:
            yield from _logs(logs)

    return collect


def _sampling(tracing: Tracing) -> Iterator[Reading]:
    stats = tracing.sampler.stats()
    for family, kept, dropped in (
        (SAMPLED_TRACES, stats.traces_kept, stats.traces_dropped),
        (SAMPLED_SPANS, stats.spans_kept, stats.spans_dropped),
    ):
        yield from ((family, ("kept", reason), float(count)) for reason, count in kept.items())
        yield from ((family, ("dropped", reason), float(count)) for reason, count in dropped.items())
    yield HELD_TRACES, (), float(stats.traces_held)
    yield HELD_BYTES, (), float(stats.bytes_held)


def _spans(name: str, stats: ExportStats) -> Iterator[Reading]:
    yield from _numbers(
        name,
        {
            OFFERED: stats.spans_offered,
            EXPORTED: stats.spans_exported,
            REJECTED: stats.spans_rejected,
            RETRIES: stats.retries,
            QUEUED: stats.queue_spans,
            IN_FLIGHT: stats.in_flight_spans,
            BREAKERS: stats.breaker != "closed",
            SPOOLED: stats.spool.spans,
            SPOOL_BYTES: stats.spool.bytes,
        },
    )
    yield from _fate(name, stats.spans_dropped, stats.state, stats.last_success_at)


def _logs(stats: LogExportStats) -> Iterator[Reading]:
    yield from _numbers(
        "logs",
        {
            OFFERED: stats.records_offered,
            EXPORTED: stats.records_exported,
            REJECTED: stats.records_rejected,
            QUEUED: stats.queue_records,
        },
    )
    yield from _fate("logs", stats.records_dropped, stats.state, stats.last_success_at)


def _numbers(name: str, numbers: Mapping[Family, int]) -> Iterator[Reading]:
    return ((family, (name,), float(number)) for family, number in numbers.items())


def _fate(
    name: str, dropped: Mapping[DropReason, int], state: ExportState, last_success_at: float | None
) -> Iterator[Reading]:
    yield from ((DROPPED, (name, reason), float(count)) for reason, count in dropped.items())
    yield from ((STATE, (name, each), float(each == state)) for each in get_args(ExportState))
    if last_success_at is not None:
        yield LAST_SUCCESS, (name,), last_success_at
