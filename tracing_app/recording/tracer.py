"""Starts spans: finds the parent, asks the sampler, gives the new span its context.

Source of the rules: OpenTelemetry specification, "Tracing SDK", "SDK Span creation". This module is compiled
where a C compiler is at hand (``tracing_app.compiled``); ``tracer.pxd`` has its types.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from opentelemetry.context import Context, get_current
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
from .settings import RecordingSettings
from .span import LightSpan
from .span_context import valid_context
from .trace_buffer import TraceBuffer

_RANDOM = TraceFlags(TraceFlags.RANDOM_TRACE_ID)
_FLAGS = tuple(TraceFlags(bits) for bits in range(4))


class LightTracer:
    """The tracer of one instrumentation scope."""

    __slots__ = ("_decided", "_head", "_new_span_id", "_scope", "settings")

    def __init__(self, scope: Scope, settings: RecordingSettings) -> None:
        self._scope = scope
        self.settings = settings
        self._new_span_id = settings.new_span_id
        self._head = settings.head
        # Below a span of these settings nobody is to be asked: the head decided for the whole trace.
        self._decided = settings if self._head is not None else None

    def start_as_current_span(
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
        span = self.start_in(
            get_current() if context is None else context, name, kind, attributes, links, start_time
        )
        if not (record_exception and set_status_on_exception) and isinstance(span, LightSpan):
            span.on_exception(records=record_exception, sets_status=set_status_on_exception)
        return span

    def start_in(
        self,
        context: Context,
        name: str,
        kind: SpanKind,
        attributes: Mapping[str, AnyValue] | None,
        links: Sequence[Link] | None,
        start_time: int | None,
    ) -> Span:
        """``start_span`` for a caller that knows the context and leaves exceptions to itself."""
        parent = context.get(SPAN_KEY)
        if type(parent) is LightSpan:
            span: Span | LightSpan = self._start_below(
                parent, context, name, kind, attributes, links, start_time
            )
        elif type(parent) is DroppedSpan and self._drops_below(parent):
            return parent.child()
        else:
            span = self._start_decided(parent, context, name, kind, attributes, links or (), start_time)
        if links and type(span) is LightSpan:
            span.add_links(links)
        return span  # type: ignore[return-value]  # registered as one

    def _start_below(
        self,
        parent: LightSpan,
        context: Context,
        name: str,
        kind: SpanKind,
        attributes: Mapping[str, AnyValue] | None,
        links: Sequence[Link] | None,
        start_time: int | None,
    ) -> Span | LightSpan:
        """Start a child of a span that is recorded, mostly by this very provider."""
        buffer = parent.buffer
        if buffer.settings is not self._decided:
            return self._start_decided(parent, context, name, kind, attributes, links or (), start_time)
        span_id, flags, state = self._new_span_id() or 1, parent.trace_flags, parent.trace_state
        if buffer.spans_left <= 0:
            own = valid_context((buffer.trace_id, span_id, False, flags, state, True))
            return DroppedSpan(own, self.settings, buffer)
        buffer.spans_left -= 1
        span = LightSpan()
        span.begin(
            buffer,
            False,
            self._scope,
            span_id,
            flags,
            state,
            parent.span_id,
            False,
            name,
            kind,
            attributes,
            start_time,
        )
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
    ) -> Span | LightSpan:
        """Start a local root, or a child when the sampler wants to be asked about each."""
        settings = self.settings
        above = _valid_context(parent)
        if above is None:
            trace_id, parent_id, is_remote = settings.new_trace_id(), 0, False
            flags, state = _RANDOM, DEFAULT_TRACE_STATE
        else:
            trace_id, parent_id, is_remote, flags, state, _ = above
        head = self._head
        if head is not None:
            is_sampled = head.is_sampled(above, trace_id)
            is_recorded = is_sampled or head.is_followed
        else:
            asked = settings.sampler.should_sample(context, trace_id, name, kind, attributes, links)
            is_sampled = asked.decision.is_sampled()  # type: ignore[no-untyped-call]
            is_recorded = asked.decision.is_recording()  # type: ignore[no-untyped-call]
            attributes = asked.attributes
            state = DEFAULT_TRACE_STATE if asked.trace_state is None else asked.trace_state
        span_id = settings.new_span_id() or 1
        own_flags = _FLAGS[(flags & _RANDOM) | is_sampled]
        if not is_recorded:
            return DroppedSpan(valid_context((trace_id, span_id, False, own_flags, state, True)), settings)

        buffer = self._buffer_of(parent)
        is_root = buffer is None
        if buffer is None:
            buffer = TraceBuffer(settings, trace_id)
        elif buffer.spans_left <= 0:
            own = valid_context((trace_id, span_id, False, own_flags, state, True))
            return DroppedSpan(own, settings, buffer)
        else:
            buffer.spans_left -= 1
        span = LightSpan()
        span.begin(
            buffer,
            is_root,
            self._scope,
            span_id,
            own_flags,
            state,
            parent_id,
            is_remote,
            name,
            kind,
            attributes,
            start_time,
        )
        return span

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


Tracer.register(LightTracer)  # an extension type has no base that is written in Python
