"""Trees drawn by hand: spans with their times in milliseconds, recorded, encoded and read back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from opentelemetry.proto.trace.v1.trace_pb2 import TracesData
from opentelemetry.sdk.resources import Resource
from opentelemetry.trace import NonRecordingSpan, Span, SpanContext, SpanKind, TraceFlags, set_span_in_context

from tests.tracing_app.sampling.traces import Sink
from tracing_app.exporting.otlp_wire import SpanEncoder
from tracing_app.exporting.transport import Accepted
from tracing_app.recording.choices import Always
from tracing_app.recording.provider import LightTracerProvider
from tracing_app.recording.samplers import HeadSampler
from tracing_app.store.transport import StoreTransport
from tracing_app.store.tree import Tree, build_tree

MS = 1_000_000
BEGAN = 1_800_000_000_000 * MS
CLIENT, SERVER, INTERNAL = SpanKind.CLIENT, SpanKind.SERVER, SpanKind.INTERNAL


@dataclass(frozen=True)
class Drawn:
    """A span from ``start`` to ``end`` in milliseconds; its name is how tests find it again."""

    name: str
    start: float
    end: float
    children: Sequence[Drawn] = ()
    kind: SpanKind = INTERNAL
    attributes: Mapping[str, Any] = field(default_factory=dict)


def request(start: float, end: float, *children: Drawn, name: str = "request") -> Drawn:
    return Drawn(name, start, end, children, SERVER)


def upload(
    start: float, end: float, *, client: float, backend: float, children: Sequence[Drawn] = ()
) -> Drawn:
    waits = {"mizuchi.upload.receive_wait_ms": client, "mizuchi.upload.backend_wait_ms": backend}
    return Drawn("upload.part", start, end, children, attributes=waits)


def storage(start: float, end: float, *, kind: SpanKind = INTERNAL) -> Drawn:
    return Drawn("file.write", start, end, kind=kind, attributes={"mizuchi.storage": "disk"})


def tree_of(first: Drawn, *joined: Drawn) -> Tree:
    """The trace of a request, and of those that joined it because they go on with its upload."""
    trace_id, parts = _exported(first, joined)
    return build_tree(trace_id, map(TracesData.FromString, parts))


def stored(first: Drawn, *joined: Drawn) -> str:
    """The same in the store; returns the trace id."""
    trace_id, parts = _exported(first, joined)
    transport = StoreTransport(max_traces=100_000, max_age_hours=1e6)
    for part in parts:
        assert transport.send(part, 1) == Accepted()
    return trace_id


def _exported(first: Drawn, joined: Sequence[Drawn]) -> tuple[str, list[bytes]]:
    sink = Sink()
    tracer = LightTracerProvider(HeadSampler(Always(), tail=False), sink).get_tracer("tests")

    def record(drawn: Drawn, parent: SpanContext | None, *, is_remote: bool) -> SpanContext:
        context = None
        if parent is not None:
            seen = SpanContext(parent.trace_id, parent.span_id, is_remote, TraceFlags(1))
            context = set_span_in_context(NonRecordingSpan(seen) if is_remote else open_spans[parent.span_id])
        span = tracer.start_span(
            drawn.name,
            context,
            drawn.kind,
            drawn.attributes,
            start_time=BEGAN + round(drawn.start * MS),
        )
        own = span.get_span_context()
        open_spans[own.span_id] = span
        for child in drawn.children:
            record(child, own, is_remote=False)
        span.end(BEGAN + round(drawn.end * MS))
        return own

    open_spans: dict[int, Span] = {}
    root = record(first, None, is_remote=False)
    for each in joined:
        record(each, root, is_remote=True)
    return f"{root.trace_id:032x}", [SpanEncoder(Resource({})).encode([trace]) for trace in sink.traces]
