"""Stored traces as the sampler saw them, for a dry run."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from opentelemetry.proto.trace.v1.trace_pb2 import Span, TracesData
from opentelemetry.trace import (
    DEFAULT_TRACE_OPTIONS,
    DEFAULT_TRACE_STATE,
    SpanContext,
    SpanKind,
    StatusCode,
    TraceFlags,
    TraceState,
)

from tracing_app.recording.data import Attributes, EventData, LinkData, RawEvent, Scope, TraceData
from tracing_app.recording.fixed import NOTHING, FixedAttributes
from tracing_app.sampling.dry_run import PastTrace

from .models import StoredTrace
from .rows import attributes_of

_SCOPE = Scope("mizuchi")
_MARKS = ("mizuchi.sampling.reason", "mizuchi.sampling.rule", "mizuchi.sampling.rate")
_STATUS = {0: StatusCode.UNSET, 1: StatusCode.OK, 2: StatusCode.ERROR}


@dataclass(slots=True)
class PastSpan:
    """A ``SpanData`` with what rules can ask about; events and links are left out."""

    span_id: int
    trace_flags: TraceFlags
    parent_span_id: int
    is_parent_remote: bool
    name: str
    kind: SpanKind
    start_ns: int
    end_ns: int
    attributes: Attributes
    status_code: StatusCode
    trace_id: int
    trace_state: TraceState
    scope: Scope = _SCOPE
    dropped_attributes: int = 0
    raw_events: Sequence[RawEvent] = ()
    dropped_events: int = 0
    links: Sequence[LinkData] = ()
    dropped_links: int = 0
    status_description: str = ""
    is_plain: bool = False
    later: Callable[[], Attributes] | None = None
    fixed: FixedAttributes = field(default_factory=lambda: NOTHING)

    def complete(self) -> None:
        """They are all there."""

    @property
    def context(self) -> SpanContext:
        return SpanContext(self.trace_id, self.span_id, False, self.trace_flags, self.trace_state)

    @property
    def events(self) -> Sequence[EventData]:
        return ()

    @property
    def varied(self) -> Attributes:
        return self.attributes


def past_traces(rows: Iterable[StoredTrace]) -> Iterator[PastTrace]:
    """Requests of the store, without the marks of the policy that kept them."""
    for row in rows:
        body = zlib.decompress(bytes(row.spans))
        spans = [
            _past_span(span)
            for resource in TracesData.FromString(body).resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]
        root = next((span for span in spans if span.is_parent_remote or not span.parent_span_id), spans[-1])
        spans.remove(root)
        yield PastTrace(TraceData(int(row.trace_id, 16), [*spans, root]), row.rate, len(body))


def _past_span(span: Span) -> PastSpan:
    attributes = attributes_of(span)
    for mark in _MARKS:
        attributes.pop(mark, None)
    return PastSpan(
        trace_id=int.from_bytes(span.trace_id, "big"),
        span_id=int.from_bytes(span.span_id, "big"),
        trace_flags=DEFAULT_TRACE_OPTIONS,
        trace_state=DEFAULT_TRACE_STATE,
        parent_span_id=int.from_bytes(span.parent_span_id, "big"),
        is_parent_remote=bool(span.flags & 0x200),
        name=span.name,
        kind=SpanKind(max(span.kind - 1, 0)),
        start_ns=span.start_time_unix_nano,
        end_ns=span.end_time_unix_nano,
        attributes=attributes,
        status_code=_STATUS[span.status.code],
    )
