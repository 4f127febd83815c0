"""A worker with short times, what must hold of its counts, and transports that do as told."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from tests.servers.otlp_receiver import OtlpReceiver
from tests.tracing_app.exporting.otlp_samples import RESOURCE
from tracing_app.exporting.config import (
    BatchConfig,
    BreakerConfig,
    ExportConfig,
    OtlpConfig,
    RetryConfig,
    SpoolConfig,
)
from tracing_app.exporting.factory import build_worker
from tracing_app.exporting.otlp_wire import SpanEncoder
from tracing_app.exporting.stats import ExportStats
from tracing_app.exporting.transport import Accepted, Outcome, Transport
from tracing_app.exporting.worker import ExportWorker


def quick(
    otlp: OtlpConfig | None = None,
    spool: Path | None = None,
    *,
    batch: int = 8,
    queue: int = 2048,
    delay: float = 0.05,
    retry: float = 0.3,
    failures: int = 3,
    reset: float = 0.3,
) -> ExportConfig:
    """A configuration whose times are those of a test."""
    return ExportConfig(
        otlp=otlp,
        batch=BatchConfig(max_queue_spans=queue, scheduled_delay_seconds=delay, max_export_batch_size=batch),
        retry=RetryConfig(initial_seconds=0.02, max_seconds=0.1, total_seconds=retry),
        breaker=BreakerConfig(failures=failures, reset_seconds=reset),
        spool=SpoolConfig(spool) if spool else None,
    )


def towards(receiver: OtlpReceiver, **changes: object) -> OtlpConfig:
    """That receiver's configuration, with a short timeout."""
    return replace(OtlpConfig(receiver.endpoint, receiver.protocol, timeout_seconds=1.0), **changes)  # type: ignore[arg-type]


def real_worker(config: ExportConfig) -> ExportWorker:
    return build_worker(config, RESOURCE)


def scripted_worker(config: ExportConfig, transport: Transport) -> ExportWorker:
    return ExportWorker(config, transport, SpanEncoder(RESOURCE))


def assert_nothing_unaccounted(worker: ExportWorker) -> ExportStats:
    """Offered = exported + rejected + dropped + queued + in flight + spooled, at rest."""
    stats = worker.stats()
    accounted = stats.spans_exported + stats.spans_rejected + sum(stats.spans_dropped.values())
    accounted += stats.queue_spans + stats.in_flight_spans + stats.spool.spans
    assert accounted == stats.spans_offered, stats
    return stats


def until(condition: Callable[[], bool], seconds: float = 10) -> None:
    """Wait for it."""
    ends = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends, "did not come about"
        time.sleep(0.01)


class Scripted:
    """Answers from a list, the last for ever; remembers what was sent; hangs while ``hold`` is not set."""

    def __init__(self, *outcomes: Outcome | Exception) -> None:
        self.outcomes = list(outcomes) or [Accepted()]
        self.payloads: list[bytes] = []
        self.deadlines: list[float] = []
        self.moments: list[float] = []
        self.hold = threading.Event()
        self.hold.set()

    def send(self, payload: bytes, deadline_seconds: float) -> Outcome:
        self.payloads.append(payload)
        self.deadlines.append(deadline_seconds)
        self.moments.append(time.monotonic())
        self.hold.wait(30)
        outcome = self.outcomes.pop(0) if len(self.outcomes) > 1 else self.outcomes[0]
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def close(self) -> None:
        pass
