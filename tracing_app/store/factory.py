"""The export worker that fills the store."""

from __future__ import annotations

from typing import Final

from opentelemetry.sdk.resources import Resource

from tracing_app.config import StoreConfig
from tracing_app.exporting.config import BatchConfig, BreakerConfig, ExportConfig
from tracing_app.exporting.otlp_wire import SpanEncoder
from tracing_app.exporting.signal import TRACES, Signal
from tracing_app.exporting.worker import ExportWorker
from tracing_app.recording.data import TraceData

from .transport import StoreTransport

_SECONDS_TO_BE_SEEN = 0.5
_TO_STORE: Final = Signal("local trace", "traces", TRACES.http_path, TRACES.grpc_method, TRACES.rejected_key)


class _StoreEncoder(SpanEncoder):
    """Encodes as for a collector; the log tells the two apart."""

    signal = _TO_STORE


def build_store_worker(config: StoreConfig, resource: Resource) -> ExportWorker[TraceData]:
    """A sink that saves traces. What is saved can be seen within a second."""
    return ExportWorker(
        ExportConfig(
            batch=BatchConfig(scheduled_delay_seconds=_SECONDS_TO_BE_SEEN),
            breaker=BreakerConfig(failures=5, reset_seconds=5),
        ),
        StoreTransport(max_traces=config.max_traces, max_age_hours=config.max_age_hours),
        _StoreEncoder(resource),
    )
