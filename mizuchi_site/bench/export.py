"""How long traces take to a collector, what sending them costs, and what becomes of them while it is away."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Final

from tracing_app.exporting.config import BatchConfig, ExportConfig
from tracing_app.exporting.stats import ExportStats
from tracing_app.recording.data import TraceData

from .collector import Collector, running_collector
from .exporters import (
    BREAKER_RESET_SECONDS,
    Pace,
    Worker,
    export_config,
    running_worker,
    tracer_into,
    uncompressed,
)
from .failures import BenchmarkFailed
from .report import Figure, Table
from .rounds import Sample, Turns, take_turns
from .spans import record_request

_PATIENCE_SECONDS = 60.0
_WARM_UP = 1


class NotExported(BenchmarkFailed):
    """Traces did not arrive, and nothing says why."""


@dataclass(frozen=True, slots=True)
class Paced:
    """Traces a second, how long a batch waits to fill, and for how long the pace is kept."""

    per_second: float
    delay_seconds: float
    seconds: float

    @property
    def name(self) -> str:
        return f"{self.per_second:g} a second, delay {self.delay_seconds:g} s"


@dataclass(frozen=True, slots=True)
class Extent:
    """How much is measured. ``burst`` is in traces; an outage lasts ``outage_seconds``."""

    rounds: int
    paces: Sequence[Paced]
    burst: int
    outage_rounds: int
    outage_seconds: float
    outage_per_second: float = 400.0


_FULL = Extent(
    rounds=5,
    paces=(Paced(10, 5, 10), Paced(10, 0.5, 2), Paced(500, 5, 2), Paced(500, 0.5, 2)),
    burst=5000,
    outage_rounds=3,
    outage_seconds=10,
)
_QUICK = Extent(
    rounds=2, paces=(Paced(10, 0.5, 1), Paced(500, 0.5, 1)), burst=1000, outage_rounds=1, outage_seconds=4
)
_DEFAULT: Final = BatchConfig()
_ROOMY: Final = BatchConfig(max_queue_spans=10**6, max_queue_bytes=2**30)
_UNCOMPRESSED = "batches of 512 spans, uncompressed"
_BATCHES: Final[Mapping[str, int]] = {
    "batches of 64 spans": 64,
    "batches of 512 spans": 512,
    "batches of 4096 spans": 4096,
    _UNCOMPRESSED: 512,
}
_OUTAGES = ("there", "answers after 1 s", "gone", "gone, without a spool")


def steps(is_quick: bool) -> int:
    extent = _QUICK if is_quick else _FULL
    calm = (len(extent.paces) + len(_BATCHES)) * (extent.rounds + _WARM_UP)
    return calm + len(_OUTAGES) * extent.outage_rounds


def measure(folder: Path, *, is_quick: bool, on_turn: Callable[[], None]) -> list[Table]:
    """All workers are this process's, all traces of 4 spans."""
    extent = _QUICK if is_quick else _FULL
    with running_collector(is_keeping=True) as collector:
        return [
            _latencies(collector, extent, on_turn),
            _throughput(collector, extent, on_turn),
            _outages(collector, folder, extent, on_turn),
        ]


def _latencies(collector: Collector, extent: Extent, on_turn: Callable[[], None]) -> Table:
    with ExitStack() as workers:
        sides = {}
        for pace in extent.paces:
            batch = BatchConfig(scheduled_delay_seconds=pace.delay_seconds)
            worker = workers.enter_context(running_worker(export_config(collector.endpoint, batch)))
            sides[pace.name] = partial(_latency, collector, worker, pace)
        turns = take_turns(sides, rounds=extent.rounds, warm_up=_WARM_UP, on_turn=on_turn)
    rows = {
        name: {
            "p50": Figure(turns.spread(name, "p50_ms"), "ms"),
            "p99": Figure(turns.spread(name, "p99_ms"), "ms"),
        }
        for name in sides
    }
    note = f"A batch is sent when it has {_DEFAULT.max_export_batch_size} spans, or after the delay."
    return Table("From the end of a span to its receipt", rows, note)


def _latency(collector: Collector, worker: Worker, pace: Paced) -> Sample:
    collector.taken()
    Pace(worker).keep(per_second=pace.per_second, seconds=pace.seconds)
    if not worker.flush(_PATIENCE_SECONDS):
        raise NotExported(f"flushed: {worker.stats()}")
    took = sorted(
        (receipt.at_ns - span.end_time_unix_nano) / 1e6
        for receipt in collector.taken()
        for span in receipt.spans
    )
    return {"p50_ms": statistics.median(took), "p99_ms": took[int(len(took) * 0.99)]}


def _throughput(collector: Collector, extent: Extent, on_turn: Callable[[], None]) -> Table:
    with ExitStack() as workers:
        sides = {
            name: partial(_burst, collector, workers.enter_context(running_worker(config)), extent.burst)
            for name, config in _bursts(collector.endpoint).items()
        }
        turns = take_turns(sides, rounds=extent.rounds, warm_up=_WARM_UP, on_turn=on_turn)
    rows = {
        name: {
            "traces a second": Figure(turns.spread(name, "per_second")),
            "CPU of a trace": Figure(turns.spread(name, "cpu_us"), "us"),
            "on the wire": Figure(turns.spread(name, "bytes"), "B"),
        }
        for name in sides
    }
    return Table("As fast as it can: queued, encoded, sent and accepted", rows, "Recording is not counted.")


def _bursts(endpoint: str) -> Mapping[str, ExportConfig]:
    configs = {
        name: export_config(endpoint, replace(_ROOMY, max_export_batch_size=spans))
        for name, spans in _BATCHES.items()
    }
    return configs | {_UNCOMPRESSED: uncompressed(configs[_UNCOMPRESSED])}


class _Recorded(list[TraceData]):
    """A sink that keeps."""

    def offer(self, trace: TraceData) -> None:
        self.append(trace)


def _burst(collector: Collector, worker: Worker, count: int) -> Sample:
    recorded = _Recorded()
    tracer = tracer_into(recorded)
    for _ in range(count):
        record_request(tracer)
    collector.taken()
    began, cpu_began = time.perf_counter(), time.process_time()
    for trace in recorded:
        worker.offer(trace)
    if not worker.flush(_PATIENCE_SECONDS):
        raise NotExported(f"flushed: {worker.stats()}")
    used, took = time.process_time() - cpu_began, time.perf_counter() - began
    wire_bytes = sum(len(receipt.body) for receipt in collector.taken())
    return {"per_second": count / took, "cpu_us": used / count * 1e6, "bytes": wire_bytes / count}


def _outages(collector: Collector, folder: Path, extent: Extent, on_turn: Callable[[], None]) -> Table:
    sides = {name: partial(_outage, name, collector, folder, extent) for name in _OUTAGES}
    turns = take_turns(sides, rounds=extent.outage_rounds, warm_up=0, on_turn=on_turn)
    title = f"{extent.outage_per_second:g} traces a second for {extent.outage_seconds:g} s, the collector is"
    note = (
        f"The default queue of {_DEFAULT.max_queue_spans} spans and spool; a batch waits 0.5 s to fill, a "
        f"collector that is away is tried again after {BREAKER_RESET_SECONDS:g} s. Queued are also those on "
        "their way; drained: how long after the outage nothing was queued or spooled any more."
    )
    return Table(title, {name: _outage_row(turns, name) for name in _OUTAGES}, note)


def _outage_row(turns: Turns, name: str) -> dict[str, Figure]:
    counts = ("offered", "exported", "queued", "spooled", "dropped")
    return {
        **{count: Figure(turns.spread(name, count)) for count in counts},
        "offer p99": Figure(turns.spread(name, "offer_us"), "us"),
        "drained": Figure(turns.spread(name, "drained_s"), "s"),
    }


def _outage(name: str, collector: Collector, folder: Path, extent: Extent) -> Sample:
    """One outage, and its end; traces are counted when it ends."""
    spool = None if name == "gone, without a spool" else folder / "spool"
    batch = BatchConfig(scheduled_delay_seconds=0.5)
    with running_worker(export_config(collector.endpoint, batch, spool=spool)) as worker:
        pace = Pace(worker)
        try:
            if name.startswith("gone"):
                collector.go()
            collector.be_slow(1.0 if name == "answers after 1 s" else 0.0)
            pace.keep(per_second=extent.outage_per_second, seconds=extent.outage_seconds)
            stats = worker.stats()
        finally:
            collector.be_slow(0)
            if name.startswith("gone"):
                collector.come()
        drained_seconds = _until_drained(worker)
    exported, dropped = stats.traces_exported, sum(stats.traces_dropped.values())
    return {
        "offered": stats.traces_offered,
        "exported": exported,
        "queued": stats.traces_offered - exported - dropped - stats.spool.traces,
        "spooled": stats.spool.traces,
        "dropped": dropped,
        "offer_us": sorted(pace.offer_seconds)[int(len(pace.offer_seconds) * 0.99)] * 1e6,
        "drained_s": drained_seconds,
    }


def _until_drained(worker: Worker) -> float:
    """Seconds until nothing waits any more; what was neither exported nor dropped by then is an error."""
    began = time.perf_counter()
    while not _is_drained(stats := worker.stats()):
        if time.perf_counter() - began > _PATIENCE_SECONDS:
            raise NotExported(f"still queued or spooled: {stats}")
        time.sleep(0.01)
    if stats.traces_exported + sum(stats.traces_dropped.values()) != stats.traces_offered:
        raise NotExported(f"traces that nobody counted: {stats}")
    return time.perf_counter() - began


def _is_drained(stats: ExportStats) -> bool:
    return not (stats.queue_spans or stats.in_flight_spans or stats.spool.files)
