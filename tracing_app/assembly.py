"""Puts together what records and exports. ``provider`` imports this only where something is to be traced."""

from __future__ import annotations

import logging
import time
from collections import deque
from dataclasses import dataclass

from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.trace import Tracer, TracerProvider

from tracing_app import api
from tracing_app.compiled import IS_COMPILED
from tracing_app.config import StoreConfig, TracingConfig
from tracing_app.exporting.factory import build_worker
from tracing_app.exporting.fan_out import FanOut
from tracing_app.exporting.worker import ExportWorker
from tracing_app.live.control import SamplingControl
from tracing_app.live.exchange import MAX_UPLOADS_TO_TELL, Exchange
from tracing_app.logs.log_export import hurry_log_export
from tracing_app.propagation.w3c import propagate_for_libraries
from tracing_app.recording.data import TraceData
from tracing_app.recording.provider import LightTracerProvider
from tracing_app.recording.samplers import HeadSampler
from tracing_app.recording.trace_ids import EvenTraceIds
from tracing_app.redaction import Redactor
from tracing_app.resource import build_resource
from tracing_app.sampling.gathered import Gathered
from tracing_app.sampling.held import HeldUploads
from tracing_app.sampling.policy import head_choice, tail_policy
from tracing_app.sampling.tail import TailSampler
from tracing_app.version import VERSION

logger = logging.getLogger("mizuchi.tracing")

DEADLINE_SECONDS = 3.0
STORE_DEADLINE_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Tracing:
    """Tracing under way: the tracer of this project's own spans, where others get theirs, what decides which
    traces are kept, and where those go: to a collector, to the store, or both."""

    tracer: Tracer
    provider: TracerProvider
    gathered: Gathered
    sampler: TailSampler
    control: SamplingControl
    exporter: ExportWorker[TraceData] | None
    store: ExportWorker[TraceData] | None

    @property
    def worker(self) -> ExportWorker[TraceData]:
        """What exports to the collector, or to the store where there is none."""
        worker = self.exporter or self.store
        assert worker is not None
        return worker

    def shutdown(self) -> bool:
        """Export or spool what is left, within the deadline; whether all of it was. Log records go out in
        the same time: their export ends after this one, with logging."""
        self.gathered.stop()
        hurry_log_export(DEADLINE_SECONDS)
        ends = time.monotonic() + DEADLINE_SECONDS
        is_stored = self.store is None or self.store.shutdown(STORE_DEADLINE_SECONDS)
        is_exported = self.exporter is None or self.exporter.shutdown(ends - time.monotonic())
        return is_stored and is_exported


def begin(config: TracingConfig) -> Tracing:
    """Record from now on, and keep what is to be kept."""
    resource = build_resource(config)
    exporter = build_worker(config.export, resource) if config.export else None
    store = _store(config.store, resource) if config.store else None
    workers = [worker for worker in (exporter, store) if worker is not None]
    told: deque[int] = deque(maxlen=MAX_UPLOADS_TO_TELL)
    sampler = TailSampler(
        tail_policy(config.sampling),
        workers[0] if len(workers) == 1 else FanOut(workers),
        uploads=HeldUploads() if config.multipart == "join" else None,
        on_upload_kept=told.append,
    )
    head = HeadSampler(head_choice(config.sampling), tail=True)
    control = SamplingControl(config.sampling, head, sampler)
    exchange = _exchange(control, sampler, told)
    gathered = Gathered(sampler)
    provider = LightTracerProvider(head, gathered, new_trace_id=EvenTraceIds(), record_stacktraces=False)
    trace.set_tracer_provider(provider)
    propagate_for_libraries()
    tracer = provider.get_tracer("mizuchi", VERSION)
    for worker in workers:
        worker.start()  # a spool left from before goes out now, not with the first trace
    api.use(tracer, Redactor(config.redaction, config.hash_keys), config.baggage_hosts)
    exchange.start()
    gathered.start()
    logger.info("spans are recorded by %s code", "compiled" if IS_COMPILED else "uncompiled")
    return Tracing(tracer, provider, gathered, sampler, control, exporter, store)


def _exchange(control: SamplingControl, sampler: TailSampler, told: deque[int]) -> Exchange:
    return Exchange(
        to_tell=told,
        apply=control.apply,
        keep=sampler.keep_upload,
        forget_before=sampler.forget_done_uploads,
    )


def _store(config: StoreConfig, resource: Resource) -> ExportWorker[TraceData]:
    from tracing_app.store.factory import build_store_worker  # its models need Django, not everybody does

    return build_store_worker(config, resource)
