"""Puts together what records and exports. ``provider`` imports this only where something is to be traced."""

from __future__ import annotations

from dataclasses import dataclass

from opentelemetry import trace
from opentelemetry.trace import Tracer, TracerProvider

from tracing_app import api
from tracing_app.config import SamplingConfig, TracingConfig
from tracing_app.exporting.config import ExportConfig
from tracing_app.exporting.factory import build_worker
from tracing_app.exporting.worker import ExportWorker
from tracing_app.logs.log_export import hurry_log_export
from tracing_app.recording.choices import Always, Choice, Never, ParentBased, Ratio, RatioCap
from tracing_app.recording.data import TraceData
from tracing_app.recording.provider import LightTracerProvider
from tracing_app.recording.samplers import HeadSampler
from tracing_app.redaction import Redactor
from tracing_app.resource import build_resource
from tracing_app.version import VERSION

DEADLINE_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Tracing:
    """Tracing under way: the tracer of this project's own spans, where others get theirs, what exports."""

    tracer: Tracer
    provider: TracerProvider
    worker: ExportWorker[TraceData]

    def shutdown(self) -> bool:
        """Export or spool what is left, within the deadline; whether all of it was. Log records go out in
        the same time: their export ends after this one, with logging."""
        hurry_log_export(DEADLINE_SECONDS)
        return self.worker.shutdown(DEADLINE_SECONDS)


def begin(config: TracingConfig, export: ExportConfig) -> Tracing:
    """Record from now on, and export."""
    worker = build_worker(export, build_resource(config))
    sampler = HeadSampler(head_choice(config.sampling), tail=False)
    provider = LightTracerProvider(sampler, worker, record_stacktraces=False)
    trace.set_tracer_provider(provider)
    tracer = provider.get_tracer("mizuchi", VERSION)
    worker.start()  # a spool left from before goes out now, not with the first trace
    api.use(tracer, Redactor(config.redaction, config.hash_keys))
    return Tracing(tracer, provider, worker)


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
