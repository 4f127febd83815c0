"""How an encoded request reaches a collector, and what can come of it. Source: OTLP specification 1.x."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol

# The form that the OTLP specification recommends.
USER_AGENT: Final = "OTel-OTLP-Exporter-Mizuchi"


@dataclass(frozen=True, slots=True)
class Accepted:
    """The collector took the request, but for ``rejected_spans`` (log records, in the export of logs);
    ``message`` is what it said of them."""

    rejected_spans: int = 0
    message: str = ""


@dataclass(frozen=True, slots=True)
class Retryable:
    """Not taken, and may be later; ``retry_after_seconds`` when the collector named a time."""

    reason: str
    retry_after_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Permanent:
    """Not taken, and never will be as it is."""

    reason: str


Outcome = Accepted | Retryable | Permanent


class Transport(Protocol):
    """Sends one encoded request of its signal: one try, never a retry of its own. Raises nothing."""

    def send(self, payload: bytes, deadline_seconds: float) -> Outcome:
        """Try once, within the deadline. Reasons hold no header's value."""

    def close(self) -> None:
        """Let go of connections; a later ``send`` opens new ones."""


def read_answer(body: bytes) -> Accepted | Permanent:
    """Understand an ``ExportTraceServiceResponse``, or that of logs, whose fields have the same numbers.

    Whoever answers anything else is no OTLP receiver.
    """
    if not body:  # all is well: protobuf is not imported for that, it costs a worker 3 MiB
        return Accepted()
    from google.protobuf.message import DecodeError
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

    try:
        partial = ExportTraceServiceResponse.FromString(body).partial_success
    except DecodeError:
        return Permanent("answered, but not as an OTLP receiver does: is this the right endpoint?")
    return Accepted(max(partial.rejected_spans, 0), partial.error_message)
