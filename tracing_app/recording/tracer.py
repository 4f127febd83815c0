"""Starts spans: finds the parent, asks the sampler, gives the new span its context.

Source of the rules: OpenTelemetry specification, "Tracing SDK", "SDK Span creation".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from opentelemetry.context import Context, get_current
from opentelemetry.sdk.trace.sampling import Decision
from opentelemetry.trace import (
    DEFAULT_TRACE_STATE,
    Link,
    Span,
    SpanContext,
    SpanKind,
    TraceFlags,
    Tracer,
)
from opentelemetry.util.types import AnyValue

from .current_context import SPAN_KEY
from .current_span import CurrentSpan
from .data import Scope
from .dropped_span import DroppedSpan
from .samplers import HeadSampler
from .settings import RecordingSettings
from .span import LightSpan
from .span_context import valid_context
from .trace_buffer import TraceBuffer

_RANDOM = TraceFlags(TraceFlags.RANDOM_TRACE_ID)
_FLAGS = tuple(TraceFlags(bits) for bits in range(4))


class LightTracer(Tracer):
    """The tracer of one instrumentation scope."""

    def __init__(self, scope: Scope, settings: RecordingSettings) -> None:
        self._scope = scope
        self.settings = settings
        self._new_span_id = settings.new_span_id
        self._head = settings.sampler if isinstance(settings.sampler, HeadSampler) else None
        # Below a span of these settings nobody is to be asked: the head decided for the whole trace.
        self._decided = settings if self._head is not None else None

    def start_as_current_span(  # type: ignore[override]  # a context manager of ours, not the API's generator
        self,
        name: str,
        context: Context | None = None,
        kind: SpanKind = SpanKind.INTERNAL,
        attributes: Mapping[str, AnyValue] | None = None,
        links: Sequence[Link] | None = None,
        start_time: int | None = None,
        record_exception: bool = True,
        set_status_on_exception: bool = True,
        end_on_exit: bool = True,
    ) -> CurrentSpan:
        return CurrentSpan(
            self.start_span,
            (name, context, kind, attributes, links, start_time, record_exception, set_status_on_exception),
            end_on_exit,
        )

    def start_span(
        self,
        name: str,
        context: Context | None = None,
        kind: SpanKind = SpanKind.INTERNAL,
        attributes: Mapping[str, AnyValue] | None = None,
        links: Sequence[Link] | None = None,
        start_time: int | None = None,
        record_exception: bool = True,
        set_status_on_exception: bool = True,
    ) -> Span:
        parent = (get_current() if context is None else context).get(SPAN_KEY)
        span: Span
        if type(parent) is LightSpan and parent.buffer.settings is self._decided:
            buffer = parent.buffer
            trace_id, parent_id, _, flags, state, _ = parent.context
            own = valid_context((trace_id, self._new_span_id() or 1, False, flags, state, True))
            if buffer.spans_left <= 0:
                return DroppedSpan(own, self.settings, buffer)
            buffer.spans_left -= 1
            span = LightSpan(
                buffer, False, self._scope, own, parent_id, False, name, kind, attributes, start_time
            )
        elif type(parent) is DroppedSpan and self._drops_below(parent):
            return parent.child()
        else:
            span = self._start_decided(parent, context, name, kind, attributes, links or (), start_time)
            if type(span) is not LightSpan:
                return span
        if links:
            span.add_links(links)
        if not record_exception or not set_status_on_exception:
            span.on_exception(records=record_exception, sets_status=set_status_on_exception)
        return span

    def _drops_below(self, parent: DroppedSpan) -> bool:
        """All is, below a span that its trace's limit dropped; else if the sampler would say it again."""
        return parent.settings is self.settings and (self._head is not None or parent.buffer is not None)

    def _start_decided(
        self,
        parent: object,
        context: Context | None,
        name: str,
        kind: SpanKind,
        attributes: Mapping[str, AnyValue] | None,
        links: Sequence[Link],
        start_time: int | None,
    ) -> Span:
        """Start a local root, or a child when the sampler wants to be asked about each."""
        settings = self.settings
        above = _valid_context(parent)
        if above is None:
            trace_id, parent_id, is_remote = settings.new_trace_id(), 0, False
            flags, state = _RANDOM, DEFAULT_TRACE_STATE
        else:
            trace_id, parent_id, is_remote, flags, state, _ = above
        if self._head is not None:
            decision = self._head.decide(above, trace_id)
        else:
            head = settings.sampler.should_sample(context, trace_id, name, kind, attributes, links)
            decision, attributes = head.decision, head.attributes
            state = DEFAULT_TRACE_STATE if head.trace_state is None else head.trace_state
        own_flags = _FLAGS[(flags & _RANDOM) | (decision is Decision.RECORD_AND_SAMPLE)]
        own = valid_context((trace_id, settings.new_span_id() or 1, False, own_flags, state, True))
        if decision is Decision.DROP:
            return DroppedSpan(own, settings)

        buffer = self._buffer_of(parent)
        is_root = buffer is None
        if buffer is None:
            buffer = TraceBuffer(settings, trace_id)
        elif buffer.spans_left <= 0:
            return DroppedSpan(own, settings, buffer)
        else:
            buffer.spans_left -= 1
        return LightSpan(
            buffer, is_root, self._scope, own, parent_id, is_remote, name, kind, attributes, start_time
        )

    def _buffer_of(self, parent: object) -> TraceBuffer | None:
        """Where the spans of the parent's trace are kept, None below anything but a span of this provider."""
        if type(parent) is LightSpan and parent.buffer.settings is self.settings:
            return parent.buffer
        return None


def _valid_context(parent: object) -> SpanContext | None:
    """The context of the parent span, None for a root span."""
    if parent is None or not isinstance(parent, Span):
        return None
    above = parent.get_span_context()
    return above if isinstance(above, SpanContext) and above.is_valid else None
