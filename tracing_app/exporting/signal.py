"""What differs between the signals of OTLP: where they are sent, and what they are called in the log.

Source: OTLP specification, "OTLP/gRPC" and "OTLP/HTTP Request"; opentelemetry-proto ``collector``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Signal:
    """``name`` and ``plural`` are for people. ``http_path`` follows a base URL; ``rejected_key`` is the
    field of a partial success in JSON (in protobuf, the fields of all signals have the same numbers)."""

    name: str
    plural: str
    http_path: str
    grpc_method: str
    rejected_key: str

    @property
    def thread_name(self) -> str:
        """The name of the thread that exports it."""
        return f"mizuchi-{self.name}-export"


TRACES: Final = Signal(
    "trace",
    "traces",
    "/v1/traces",
    "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
    "rejectedSpans",
)
LOGS: Final = Signal(
    "log",
    "logs",
    "/v1/logs",
    "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
    "rejectedLogRecords",
)
METRICS: Final = Signal(
    "metrics",
    "metrics",
    "/v1/metrics",
    "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
    "rejectedDataPoints",
)
