"""Measuring in a worker: puts together what every room knows, begins it and ends it."""

from __future__ import annotations

import time
from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass
from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from authz.apps import authz_app
from authz.health import engines
from mizuchi_site.server.place import taken_place
from mizuchi_site.workers.report import resident_bytes
from tracing_app import api
from tracing_app.api import Counter, Gauge, Label, Reading
from tracing_app.logs.log_export import log_export_stats
from tracing_app.metrics.config import MetricsConfig
from tracing_app.metrics.families import note_in
from tracing_app.metrics.meter import Meter
from tracing_app.metrics.noted import NotedMetrics
from tracing_app.metrics.publisher import Publisher
from tracing_app.metrics.telemetry import telemetry_source
from tracing_app.metrics.view import metrics_view
from tracing_app.provider import current_tracing
from tracing_app.version import VERSION
from uploads.apps import configured_gateway, uploads_app
from uploads.notifications.metrics import Undelivered
from uploads.statistics.metrics import RequestMetrics
from uploads.statistics.multipart import MultipartInProgress

BUILD = Gauge(
    "mizuchi_build_info",
    "1; its label is the version that runs.",
    otlp="mizuchi.build",
    labels=(Label("version", "service.version"),),
    is_maximum=True,
)
MEMORY = Gauge(
    "mizuchi_worker_resident_memory_bytes",
    "Memory of all workers that is in RAM; what they share is counted for each.",
    otlp="mizuchi.worker.memory",
    unit="bytes",
)
CPU_SECONDS = Counter(
    "mizuchi_worker_cpu_seconds",
    "Time that processors worked for the workers.",
    otlp="mizuchi.worker.cpu.time",
    unit="seconds",
)
ENGINE_BREAKERS = Gauge(
    "mizuchi_policy_open_breakers",
    "Workers that leave a policy engine alone for a while.",
    otlp="mizuchi.policy.open_breakers",
    labels=(Label("engine", "mizuchi.authz.engine"), Label("endpoint", "server.address")),
)

MAX_KEPT: Final = 1000
_MANY_NOTES: Final = 1000


@dataclass(frozen=True, slots=True)
class Metrics:
    """Measuring under way. ``look`` is for who looks at the database now and then, or None."""

    view: Callable[[HttpRequest], HttpResponse]
    look: Callable[[], None] | None
    stop: Callable[[], None]


def begin_metrics(config: MetricsConfig) -> Metrics | None:
    """Measure from now on, as one of its server's workers; None when nothing is to be. Tracing has begun."""
    if not config.is_enabled:
        return None
    uploads = uploads_app()
    noted = NotedMetrics(_kept_traces)
    requests = RequestMetrics(_kept_traces, uploads.request_recorder.in_flight)
    gateway = configured_gateway()
    multipart = MultipartInProgress(gateway.buckets)
    undelivered = Undelivered(
        [
            (name, webhook)
            for name, bucket in gateway.buckets.items()
            if bucket.webhooks is not None
            for webhook in bucket.webhooks.by_name
        ]
    )
    meter = Meter(
        [
            requests.collect,
            noted.collect,
            multipart.collect,
            undelivered.collect,
            telemetry_source(current_tracing(), log_export_stats),
            _process,
        ],
        taken_place(),
    )
    uploads.request_metrics = requests
    note_in(noted.notes, api.trace_id)
    publisher = Publisher(meter, is_due=lambda: len(noted.notes) + requests.waiting > _MANY_NOTES)
    publisher.start()
    stop_pushing = _push(config, meter)

    def look() -> None:
        multipart.look()
        undelivered.look()

    def stop() -> None:
        stop_pushing()
        publisher.stop()

    return Metrics(
        view=metrics_view(meter, config.token),
        look=look if meter.speaks_for_node else None,
        stop=stop,
    )


def _push(config: MetricsConfig, meter: Meter) -> Callable[[], None]:
    """One worker does it for all. Returns what ends it."""
    if config.otlp is None or not meter.speaks_for_node:
        return lambda: None
    # Protobuf costs a worker 3 MiB, gRPC 10: only who sends them has them.
    from tracing_app.exporting.factory import build_transport
    from tracing_app.exporting.signal import METRICS
    from tracing_app.metrics.push import MetricsPush
    from tracing_app.resource import node_resource

    push = MetricsPush(
        meter,
        build_transport(config.otlp, METRICS),
        node_resource(settings.TRACING, meter.instance_id).attributes,
        every_seconds=config.push_seconds,
        timeout_seconds=config.otlp.timeout_seconds,
    )
    push.start()
    return push.stop


def _kept_traces() -> Container[str]:
    """Those of the last seconds, or as many of them as do not take long to write down."""
    tracing = current_tracing()
    if tracing is None:
        return ()
    tracing.gathered.settle()
    return {f"{trace_id:032x}" for trace_id in tracing.sampler.latest_kept(MAX_KEPT)}


def _process() -> Iterator[Reading]:
    yield BUILD, (VERSION,), 1.0
    yield CPU_SECONDS, (), time.process_time()
    if (memory := resident_bytes()) is not None:
        yield MEMORY, (), float(memory)
    for engine, _ in engines(authz_app().authorizer.policies):
        is_open = engine.stats(()).breaker != "closed"
        yield ENGINE_BREAKERS, (engine.name, engine.where), float(is_open)
