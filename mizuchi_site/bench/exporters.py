"""Export workers as the gateway has them, and what is recorded into them."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from opentelemetry.sdk.resources import Resource
from opentelemetry.trace import Tracer

from tracing_app.exporting.config import BatchConfig, BreakerConfig, ExportConfig, OtlpConfig, SpoolConfig
from tracing_app.exporting.factory import build_worker
from tracing_app.exporting.worker import ExportWorker
from tracing_app.recording.choices import Always
from tracing_app.recording.data import TraceData, TraceSink
from tracing_app.recording.provider import LightTracerProvider
from tracing_app.recording.samplers import HeadSampler

from .spans import record_request

BREAKER_RESET_SECONDS = 2.0
_SHUTDOWN_SECONDS = 3.0

Worker = ExportWorker[TraceData]


def export_config(endpoint: str, batch: BatchConfig, *, spool: Path | None = None) -> ExportConfig:
    """OTLP over HTTP; a collector that is away is tried again after 2 s, or a run would take minutes."""
    return ExportConfig(
        OtlpConfig(endpoint, "http/protobuf", compression="gzip"),
        batch,
        breaker=BreakerConfig(reset_seconds=BREAKER_RESET_SECONDS),
        spool=SpoolConfig(spool) if spool else None,
    )


def uncompressed(config: ExportConfig) -> ExportConfig:
    assert config.otlp is not None
    return replace(config, otlp=replace(config.otlp, compression="none"))


@contextmanager
def running_worker(config: ExportConfig) -> Iterator[Worker]:
    """It says nothing of a collector that is away."""
    logger = logging.getLogger("mizuchi.tracing.export")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    worker = build_worker(config, Resource.create())
    try:
        yield worker
    finally:
        worker.shutdown(_SHUTDOWN_SECONDS)
        logger.setLevel(level)


def tracer_into(sink: TraceSink) -> Tracer:
    """Records every trace."""
    return LightTracerProvider(HeadSampler(Always(), tail=True), sink).get_tracer("bench")


class Pace:
    """Requests of 4 spans at a steady pace, recorded on this thread as one of the gateway's would."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._tracer = tracer_into(self)
        self.offer_seconds: list[float] = []

    def offer(self, trace: TraceData) -> None:
        """What the recorder hands over at the end of a request: on to the worker, by the clock."""
        began = time.perf_counter()
        self._worker.offer(trace)
        self.offer_seconds.append(time.perf_counter() - began)

    def keep(self, *, per_second: float, seconds: float) -> None:
        """For so long."""
        due = time.perf_counter()
        for _ in range(round(per_second * seconds)):
            time.sleep(max(due - time.perf_counter(), 0))
            record_request(self._tracer)
            due += 1 / per_second
