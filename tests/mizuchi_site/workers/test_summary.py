"""What all workers say, in one: counts added up, the worst of states, the newest of errors."""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any

from authz.policy.stats import EngineStats
from mizuchi_site.workers.roll import Worker
from mizuchi_site.workers.summary import (
    SamplingSummary,
    engine_summaries,
    export_summaries,
    sampling_summary,
)
from tracing_app.exporting.spool import SpoolUsage
from tracing_app.exporting.stats import ExportStats
from tracing_app.logs.log_export import LogExportStats
from tracing_app.sampling.tail import SamplingStats

STATS = ExportStats(
    spans_offered=100,
    traces_offered=20,
    spans_exported=80,
    traces_exported=16,
    spans_rejected=1,
    spans_dropped={"queue_full": 2},
    traces_dropped={"queue_full": 1},
    retries=3,
    queue_spans=10,
    queue_traces=2,
    queue_bytes=4000,
    in_flight_spans=5,
    spool=SpoolUsage(files=1, bytes=100, spans=2, traces=1),
    breaker="closed",
    breaker_since=1.0,
    state="healthy",
    state_since=1.0,
    last_success_at=1_790_000_000.0,
    last_error="",
    last_error_at=None,
)
ENGINE = EngineStats(
    engine="opa",
    endpoint="127.0.0.1:8181",
    buckets=("photos",),
    breaker="closed",
    seconds_in_state=5.0,
    allowed=10,
    denied=2,
    failed=0,
    cache_hits=4,
    cache_entries=1,
    last_ms=1.0,
    mean_ms=2.0,
    last_error="",
    last_error_at=0.0,
)


def worker(
    name: str = "a:1:1",
    tracing: dict[str, Any] | None = None,
    engines: list[dict[str, Any]] | None = None,
    silent_seconds: float = 1.0,
) -> Worker:
    node, pid, _ = name.split(":")
    return Worker(
        worker=name,
        node=node,
        pid=int(pid),
        version="0",
        started_at=datetime(2026, 9, 21, tzinfo=UTC),
        memory_bytes=None,
        in_flight={},
        tracing=tracing or {},
        engines=engines or [],
        silent_seconds=silent_seconds,
    )


def test_an_export_of_several_workers() -> None:
    ill = replace(
        STATS,
        state="spooling",
        breaker="open",
        spans_dropped={"queue_full": 1, "spool_full": 4},
        last_error="connection refused",
        last_error_at=1_790_000_050.0,
    )
    workers = [
        worker("a:1:1", {"export": asdict(STATS)}),
        worker("a:2:2", {"export": asdict(ill)}),
        worker("b:3:3", {"export": asdict(STATS)}),
        worker("b:4:4", {"export": asdict(ill)}, silent_seconds=30.0),
    ]

    (summary,) = export_summaries(workers)
    assert summary.name == "export"
    assert (summary.state, summary.breakers) == ("spooling", {"closed": 2, "open": 1})
    assert (summary.exported, summary.queued, summary.in_flight, summary.retries) == (240, 30, 15, 9)
    assert (summary.rejected, summary.dropped) == (3, {"queue_full": 5, "spool_full": 4})
    assert (summary.spooled, summary.spool_bytes) == (4, 200), "one directory of each node"
    assert summary.last_success_at == datetime.fromtimestamp(1_790_000_000, UTC)
    assert summary.last_error == "connection refused"
    assert summary.last_error_at == datetime.fromtimestamp(1_790_000_050, UTC)


def test_what_is_not_at_work_is_not_there() -> None:
    assert export_summaries([worker()]) == []


def test_a_worker_of_another_version_is_understood_as_far_as_can_be() -> None:
    workers = [
        worker("a:1:1", {"export": asdict(STATS)}, [asdict(ENGINE)]),
        worker("b:2:2", {"export": {"state": "improved"}}, [{"engine": "opa", "endpoint": "127.0.0.1:8181"}]),
    ]

    (export,), (engine,) = export_summaries(workers), engine_summaries(workers)
    assert (export.state, export.exported, engine.allowed) == ("improved", 80, 10)


def test_the_store_and_the_log() -> None:
    logs = LogExportStats(
        records_offered=5,
        records_exported=3,
        records_rejected=0,
        records_dropped={"failed": 1},
        queue_records=1,
        state="losing",
        last_success_at=None,
        last_error="",
        last_error_at=None,
    )
    told = {"store": asdict(STATS), "logs": asdict(logs)}

    store, log = export_summaries([worker(tracing=told)])
    assert (store.name, store.state, store.last_error_at) == ("store", "healthy", None)
    assert (log.name, log.state, log.exported, log.queued, log.dropped) == (
        "logs",
        "losing",
        3,
        1,
        {"failed": 1},
    )
    assert (log.breakers, log.last_success_at) == ({}, None)


def test_sampling_of_several_workers() -> None:
    first = SamplingStats(traces_kept={"error": 1, "head": 5}, traces_dropped={"head": 20}, traces_held=2)
    second = SamplingStats(traces_kept={"head": 3, "rule:films": 1})
    workers = [
        worker("a:1:1", {"sampling": asdict(first)}),
        worker("a:2:2", {"sampling": asdict(second)}),
        worker("a:3:3", {"sampling": asdict(first)}, silent_seconds=30),
        worker("b:1:1"),
    ]

    assert sampling_summary(workers) == SamplingSummary(
        {"error": 1, "head": 8, "rule:films": 1}, {"head": 20}, 2
    )


def test_an_engine_of_several_workers() -> None:
    down = replace(
        ENGINE,
        breaker="open",
        failed=7,
        allowed=0,
        denied=0,
        cache_hits=0,
        mean_ms=0.0,
        last_error="timed out",
        last_error_at=1_790_000_000.0,
    )
    other = replace(ENGINE, engine="openfga", endpoint="127.0.0.1:8080")
    workers = [
        worker("a:1:1", engines=[asdict(ENGINE), asdict(other)]),
        worker("a:2:2", engines=[asdict(down), asdict(other)]),
    ]

    opa, openfga = engine_summaries(workers)
    assert (opa.engine, opa.endpoint, opa.buckets) == ("opa", "127.0.0.1:8181", ("photos",))
    assert opa.breakers == {"closed": 1, "open": 1}
    assert (opa.allowed, opa.denied, opa.failed, opa.cache_hits) == (10, 2, 7, 4)
    assert (opa.mean_ms, opa.last_error) == (2.0, "timed out")
    assert opa.last_error_at == datetime.fromtimestamp(1_790_000_000, UTC)
    assert (openfga.allowed, openfga.last_error_at) == (20, None)
