"""Traces recorded for real, for what decides about them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import count
from typing import Any

from opentelemetry.trace import SpanKind, Status, StatusCode, set_span_in_context

from tracing_app.recording.choices import Choice, Never
from tracing_app.recording.data import TraceData
from tracing_app.recording.provider import LightTracerProvider
from tracing_app.recording.samplers import HeadSampler

MILLISECOND = 1_000_000


class Sink:
    def __init__(self) -> None:
        self.traces: list[TraceData] = []

    def offer(self, trace: TraceData) -> None:
        self.traces.append(trace)


def trace(
    attributes: Mapping[str, Any] | None = None,
    *,
    children: Sequence[Mapping[str, Any]] = (),
    milliseconds: float = 5,
    is_error: bool = False,
    head: Choice | None = None,
    trace_id: int | None = None,
) -> TraceData:
    """One request's trace: a root with ``attributes`` and a child span for each of ``children``."""
    sink = Sink()
    ids = count(1) if trace_id is None else iter([trace_id])
    provider = LightTracerProvider(
        HeadSampler(head or Never(), tail=True), sink, new_trace_id=lambda: next(ids)
    )
    tracer = provider.get_tracer("tests")
    began = 1_700_000_000_000_000_000
    root = tracer.start_span(
        "PUT s3.PutObject", kind=SpanKind.SERVER, attributes=attributes, start_time=began
    )
    for number, child in enumerate(children):
        span = tracer.start_span(
            f"child {number}", set_span_in_context(root), attributes=child, start_time=began
        )
        span.end(began + MILLISECOND)
    if is_error:
        root.set_status(Status(StatusCode.ERROR))
    root.end(began + int(milliseconds * MILLISECOND))
    (recorded,) = sink.traces
    return recorded
