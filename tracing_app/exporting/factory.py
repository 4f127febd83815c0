"""Builds the export path from its configuration."""

from __future__ import annotations

from opentelemetry.sdk.resources import Resource

from tracing_app.recording.data import TraceData

from .config import ExportConfig, OtlpConfig
from .http_transport import HttpTransport
from .otlp_wire import SpanEncoder
from .signal import TRACES, Signal
from .transport import Transport
from .worker import ExportWorker


def build_transport(otlp: OtlpConfig | None, signal: Signal = TRACES) -> Transport:
    """The transport of the configured protocol, the console's without one. Connects to nothing yet."""
    if otlp is None:
        from .console_transport import ConsoleTransport

        return ConsoleTransport()
    if otlp.protocol == "http/protobuf":
        return HttpTransport(otlp, signal)
    # gRPC's library costs 40 ms and 10 MB: only who uses it pays.
    from .grpc_transport import GrpcTransport

    return GrpcTransport(otlp, signal)


def build_worker(config: ExportConfig, resource: Resource) -> ExportWorker[TraceData]:
    """The sink of this process and those forked from it. Its thread starts with the first trace."""
    return ExportWorker(config, build_transport(config.otlp), SpanEncoder(resource))
