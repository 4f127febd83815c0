"""Begins and ends tracing in this process."""

from __future__ import annotations

import os
import socket
import uuid
from dataclasses import dataclass

from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.trace import Tracer

from tracing_app import api
from tracing_app.config import SamplingConfig, TracingConfig
from tracing_app.exporting.factory import build_worker
from tracing_app.exporting.stats import ExportStats
from tracing_app.exporting.worker import ExportWorker
from tracing_app.recording.data import TraceData
from tracing_app.recording.provider import LightTracerProvider
from tracing_app.recording.samplers import Always, Choice, HeadSampler, Never, ParentBased, Ratio, RatioCap
from tracing_app.redaction import Redactor
from tracing_app.version import VERSION

DEADLINE_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Tracing:
    """Tracing under way: the tracer of this project's own spans, and what exports them."""

    tracer: Tracer
    worker: ExportWorker[TraceData]

    def shutdown(self) -> bool:
        """Export or spool what is left, within the deadline; whether all of it was."""
        return self.worker.shutdown(DEADLINE_SECONDS)


class _Process:
    """Tracing begins once in each process; a forked child begins its own."""

    pid = 0
    tracing: Tracing | None = None


def init_tracing(config: TracingConfig) -> Tracing | None:
    """Begin tracing, or return what has begun. None when there is nowhere to export to: then no object of
    the SDK is built and every stage is a no-op."""
    if _Process.pid != os.getpid():
        _Process.pid, _Process.tracing = os.getpid(), _begin(config)
    return _Process.tracing


def export_stats() -> ExportStats | None:
    """What became of this process's spans so far; None when nothing is exported."""
    if _Process.pid != os.getpid() or _Process.tracing is None:
        return None
    return _Process.tracing.worker.stats()


def _begin(config: TracingConfig) -> Tracing | None:
    if config.export is None:
        return None
    worker = build_worker(config.export, build_resource(config))
    sampler = HeadSampler(head_choice(config.sampling), tail=False)
    provider = LightTracerProvider(sampler, worker, record_stacktraces=False)
    trace.set_tracer_provider(provider)
    tracer = provider.get_tracer("mizuchi", VERSION)
    worker.start()  # a spool left from before goes out now, not with the first trace
    api.use(tracer, Redactor(config.redaction, config.hash_keys))
    return Tracing(tracer, worker)


def head_choice(sampling: SamplingConfig) -> Choice:
    """The choice that ``tracing.sampling`` asks for."""
    match sampling.strategy:
        case "always":
            return Always()
        case "never":
            return Never()
        case "ratio":
            return Ratio(sampling.ratio)
        case "parent_based":
            return ParentBased(Ratio(sampling.ratio), RatioCap(sampling.ratio))


def build_resource(config: TracingConfig) -> Resource:
    """Who sends the spans: service, instance, host, process, SDK, and what the operator adds."""
    return Resource.create(
        {
            "service.name": config.service_name,
            "service.version": VERSION,
            "service.instance.id": str(uuid.uuid4()),
            "host.name": socket.gethostname(),
            "process.pid": os.getpid(),
            **config.resource,
        }
    )
