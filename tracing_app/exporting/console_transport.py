"""Traces on the console: for a fresh machine without a collector."""

from __future__ import annotations

import sys
from collections import defaultdict
from typing import TextIO

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from .transport import Accepted, Outcome


class ConsoleTransport:
    """Writes one line for each trace: id, root, milliseconds, number of spans and of errors."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream

    def send(self, payload: bytes, deadline_seconds: float) -> Outcome:
        """Print the traces of the request; see ``Transport``."""
        traces: dict[bytes, list[Span]] = defaultdict(list)
        for resource_spans in ExportTraceServiceRequest.FromString(payload).resource_spans:
            for scope_spans in resource_spans.scope_spans:
                for span in scope_spans.spans:
                    traces[span.trace_id].append(span)
        stream = self._stream or sys.stderr
        stream.writelines(_line(trace_id.hex(), spans) for trace_id, spans in traces.items())
        return Accepted()

    def close(self) -> None:
        """Nothing is held."""


def _line(trace_id: str, spans: list[Span]) -> str:
    began = min(span.start_time_unix_nano for span in spans)
    ended = max(span.end_time_unix_nano for span in spans)
    inside = {span.span_id for span in spans}
    root = next((span for span in spans if span.parent_span_id not in inside), spans[-1])
    errors = sum(span.status.code == Status.STATUS_CODE_ERROR for span in spans)
    name = root.name.encode("unicode_escape").decode("ascii")
    return f'trace {trace_id} "{name}" {(ended - began) / 1e6:.1f} ms spans={len(spans)} errors={errors}\n'
