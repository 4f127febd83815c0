"""The span of the recorder: the OpenTelemetry API's ``Span`` over plain slots.

Any thread may write to a span or end it. A writer first looks up what it will change, then asks whether
the span has ended; ``end`` first says so, then replaces attributes and events by copies. So what a sink
was given never changes, without a lock (``trace_buffer`` says why none). Two threads that write the last
allowed attribute or count a dropped one at the same moment may be off by one.

This module is compiled where a C compiler is at hand (``tracing_app.compiled``); ``span.pxd`` has its types.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType, TracebackType
from typing import Self

from opentelemetry.trace import (
    Link,
    Span,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    TraceState,
)
from opentelemetry.util.types import AnyValue

from .attributes import clean_attributes, clean_value, is_valid_key, warn_dropped
from .data import Attributes, EventData, LinkData, RawEvent, Scope, SpanData
from .exceptions import exception_attributes, exception_status
from .fixed import NOTHING, FixedAttributes
from .span_context import valid_context
from .trace_buffer import TraceBuffer

logger = logging.getLogger(__name__)

DROPPED_SPANS = "mizuchi.trace.dropped_spans"

_NOTHING: Attributes = MappingProxyType({})
_UNSET, _OK, _ERROR = StatusCode.UNSET, StatusCode.OK, StatusCode.ERROR


class LightSpan:
    """A span being recorded, and once it has ended a ``SpanData`` (its links are seen only then).

    ``FixedAttributes`` that it is given stay together in ``fixed``, beside the others in ``varied``, which
    have precedence; once it has ended a key is in one of them. Source of the rules: OpenTelemetry
    specification, "Tracing API" (Span) and "Tracing SDK".
    """

    __slots__ = (
        "__weakref__",
        "_context",
        "_has_ended",
        "_is_local_root",
        "_links",
        "_records_exception",
        "_sets_status_on_exception",
        "buffer",
        "dropped_attributes",
        "dropped_events",
        "dropped_links",
        "end_ns",
        "fixed",
        "is_parent_remote",
        "is_plain",
        "kind",
        "later",
        "links",
        "name",
        "parent_span_id",
        "raw_events",
        "scope",
        "span_id",
        "start_ns",
        "status_code",
        "status_description",
        "trace_flags",
        "trace_state",
        "varied",
    )

    def begin(
        self,
        buffer: TraceBuffer,
        is_local_root: bool,
        scope: Scope,
        span_id: int,
        trace_flags: TraceFlags,
        trace_state: TraceState,
        parent_span_id: int,
        is_parent_remote: bool,
        name: str,
        kind: SpanKind,
        attributes: Mapping[str, AnyValue] | None,
        start_time: int | None,
    ) -> None:
        """What a constructor would do, by a call that is one also where this is compiled."""
        self.buffer = buffer
        self._is_local_root = is_local_root
        self.scope = scope
        self.span_id = span_id
        self.trace_flags = trace_flags
        self.trace_state = trace_state
        self._context: SpanContext | None = None
        self.later: Callable[[], Mapping[str, AnyValue]] | None = None
        self.parent_span_id = parent_span_id
        self.is_parent_remote = is_parent_remote
        self.name = name
        self.kind = kind
        self.end_ns = 0
        self._has_ended = False
        self.is_plain = True
        self.status_code: StatusCode = _UNSET
        self.status_description = ""
        self.dropped_attributes = self.dropped_events = self.dropped_links = 0
        self._records_exception = self._sets_status_on_exception = True
        self.links: Sequence[LinkData] = ()
        self._links: list[LinkData] | None = None
        self.raw_events: Sequence[RawEvent] = []  # a list until the span ends
        self.varied: dict[str, AnyValue] = {}
        if type(attributes) is FixedAttributes:
            self.fixed = attributes
        else:
            self.fixed = NOTHING
            if attributes:
                self._keep_attributes(attributes)
        self.start_ns: int = buffer.clock() if start_time is None else start_time

    def _keep_attributes(self, attributes: Mapping[str, AnyValue]) -> None:
        buffer = self.buffer
        self.varied, dropped = clean_attributes(attributes, buffer.max_attributes, buffer.max_length)
        if dropped:
            self._drop_attributes(dropped)

    @property
    def context(self) -> SpanContext:
        """Made when it is asked for: of most spans nobody does."""
        context = self._context
        if context is None:
            context = self._context = valid_context(
                (self.buffer.trace_id, self.span_id, False, self.trace_flags, self.trace_state, True)
            )
        return context

    @property
    def attributes(self) -> Attributes:
        """All of them, in no order that means anything."""
        self.complete()
        return {**self.fixed, **self.varied} if self.fixed else self.varied

    @property
    def events(self) -> Sequence[EventData]:
        return tuple([EventData(*event) for event in self.raw_events])

    def get_span_context(self) -> SpanContext:
        return self.context

    def is_recording(self) -> bool:
        return not self._has_ended

    def on_exception(self, *, records: bool, sets_status: bool) -> None:
        """What leaving the span's ``with`` block by an exception does. Both unless told otherwise."""
        self._records_exception = records
        self._sets_status_on_exception = sets_status

    def set_attribute(self, key: str, value: AnyValue) -> None:
        attributes = self.varied
        if self._has_ended:
            self._warn_ended("set_attribute")
            return
        buffer = self.buffer
        kind, kept = type(value), value
        # The plain cases are asked for by exact type, as in ``clean_attributes``.
        is_plain = (
            (kind is str and len(value) <= buffer.max_length)  # type: ignore[arg-type]
            or kind is int
            or kind is bool
            or kind is float
        )
        if not (is_plain and type(key) is str and key):
            kept = clean_value(value, buffer.max_length)
            if kept is None:
                warn_dropped(key, value)
            if kept is None or not is_valid_key(key):
                self._drop_attributes(1)
                return
        if key in attributes or len(attributes) < buffer.max_attributes:
            attributes[key] = kept
        else:
            self._drop_attributes(1)

    def _drop_attributes(self, count: int) -> None:
        self.is_plain = False
        self.dropped_attributes += count

    def set_attributes(self, attributes: Mapping[str, AnyValue]) -> None:
        present = self.varied
        if self._has_ended:
            self._warn_ended("set_attributes")
            return
        if type(attributes) is FixedAttributes:
            self.add_fixed(attributes)
            return
        buffer = self.buffer
        cleaned, dropped = clean_attributes(attributes, len(attributes), buffer.max_length)
        if dropped:
            self._drop_attributes(dropped)
        if len(present) + len(cleaned) <= buffer.max_attributes:
            present.update(cleaned)
        else:
            for key, value in cleaned.items():
                self.set_attribute(key, value)

    def describe_later(self, make: Callable[[], Mapping[str, AnyValue]]) -> None:
        """More attributes, made when the trace is judged: what takes time to make. What was set by itself
        stays as it is; there is one such call for a span."""
        if self._has_ended:
            self._warn_ended("describe_later")
            return
        self.later = make

    def complete(self) -> None:
        """Make the attributes that were left for later; done by who takes the span."""
        make, self.later = self.later, None
        if make is None:
            return
        buffer = self.buffer
        try:
            made, dropped = clean_attributes(make(), buffer.max_attributes, buffer.max_length)
        except Exception:
            logger.exception("attributes of the span %r could not be made", self.name)
            return
        if dropped:
            self._drop_attributes(dropped)
        for key, value in made.items():
            if len(self.varied) < buffer.max_attributes:
                self.varied.setdefault(key, value)

    def add_fixed(self, attributes: FixedAttributes) -> None:
        """``set_attributes``, of a span that has not ended. What was set by itself stays as it is."""
        self.fixed = self.fixed.plus(attributes)

    def add_event(
        self, name: str, attributes: Mapping[str, AnyValue] | None = None, timestamp: int | None = None
    ) -> None:
        events: list[RawEvent] = self.raw_events  # type: ignore[assignment]
        if self._has_ended:
            self._warn_ended("add_event")
            return
        buffer = self.buffer
        time_ns = buffer.clock() if timestamp is None else timestamp
        if attributes:
            limit = buffer.settings.limits.max_event_attributes
            kept, dropped = clean_attributes(attributes, limit, buffer.max_length)
            event: RawEvent = (name, time_ns, kept, dropped)
        else:
            event = (name, time_ns, _NOTHING, 0)
        if buffer.events_left > 0 and len(events) < buffer.max_events:
            buffer.events_left -= 1
            events.append(event)
        else:
            self._replace_oldest_event(events, event)

    def add_moments(self, moments: Sequence[tuple[str, int]]) -> None:
        """Events that have a name and a time (Unix, nanoseconds) and nothing else, by one call."""
        events: list[RawEvent] = self.raw_events  # type: ignore[assignment]
        if self._has_ended:
            self._warn_ended("add_moments")
            return
        buffer = self.buffer
        count = len(moments)
        if buffer.events_left >= count and len(events) + count <= buffer.max_events:
            buffer.events_left -= count
            events += [(name, time_ns, _NOTHING, 0) for name, time_ns in moments]
        else:
            for name, time_ns in moments:
                self.add_event(name, None, time_ns)

    def _replace_oldest_event(self, events: list[RawEvent], event: RawEvent) -> None:
        """The last events tell how it ended: the oldest makes room."""
        self.is_plain = False
        self.dropped_events += 1
        if events:
            del events[:1]
            events.append(event)

    def record_exception(
        self,
        exception: BaseException,
        attributes: Mapping[str, AnyValue] | None = None,
        timestamp: int | None = None,
        escaped: bool = False,
    ) -> None:
        """Add the event ``exception``. Source: semantic conventions, "Exceptions on spans"."""
        described = exception_attributes(
            exception, is_escaped=escaped, has_stacktrace=self.buffer.settings.record_stacktraces
        )
        if attributes:
            described.update(attributes)
        self.add_event("exception", described, timestamp)

    def add_links(self, links: Sequence[Link | None]) -> None:
        """The links that a span is started with; None among them is skipped, as by the SDK."""
        for link in links:
            if link is not None:
                self.add_link(link.context, link.attributes)

    def add_link(self, context: SpanContext | None, attributes: Mapping[str, AnyValue] | None = None) -> None:
        self._links = [] if self._links is None else self._links
        links = self._links
        if self._has_ended:
            self._warn_ended("add_link")
            return
        if context is None or not (context.is_valid or attributes or context.trace_state):
            return
        limits = self.buffer.settings.limits
        kept, dropped = clean_attributes(attributes, limits.max_link_attributes, limits.max_attribute_length)
        self.is_plain = False
        links.append(LinkData(context, kept, dropped))
        if len(links) > limits.max_links:
            self.dropped_links += 1
            del links[:1]

    def update_name(self, name: str) -> None:
        if self._has_ended:
            self._warn_ended("update_name")
            return
        self.name = name

    def set_status(self, status: Status | StatusCode, description: str | None = None) -> None:
        """``OK`` is final, ``UNSET`` changes nothing, and only ``ERROR`` keeps a description."""
        if self._has_ended:
            self._warn_ended("set_status")
            return
        if isinstance(status, Status):
            if description is not None:
                logger.warning("set_status: the description beside a Status is ignored.")
            code, description = status.status_code, status.description
        else:
            code = status
        if code is _UNSET or self.status_code is _OK:
            return
        self.is_plain = False
        self.status_code = code
        self.status_description = self._description(code, description)

    def _description(self, code: StatusCode, description: str | None) -> str:
        if not description:
            return ""
        if code is not _ERROR or not isinstance(description, str):
            logger.warning("set_status: a description is a text and goes with ERROR only; ignored.")
            return ""
        return description[: self.buffer.max_length]

    def end(self, end_time: int | None = None) -> None:
        """The first call ends the span; any other is ignored with a warning."""
        buffer = self.buffer
        end_ns = buffer.clock() if end_time is None else end_time
        # Of several threads one reads False: the interpreter does not change them within this line.
        has_ended, self._has_ended = self._has_ended, True
        if has_ended:
            self._warn_ended("end")
            return
        self.end_ns = end_ns
        is_root = self._is_local_root
        if is_root and buffer.dropped_spans:
            self.varied[DROPPED_SPANS] = buffer.dropped_spans
        varied, fixed = self.varied, self.fixed
        if not varied:
            self.varied = {}
        elif fixed.keys().isdisjoint(varied):
            self.varied = varied.copy()
        else:
            self.fixed, self.varied = NOTHING, {**fixed, **varied}
        self.raw_events = tuple(self.raw_events)
        if self._links is not None:
            self.links = tuple(self._links)
        if is_root:
            buffer.close(self)
        else:
            buffer.keep(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_val: BaseException | None,
        exc_tb: TracebackType | None,
    ) -> None:
        if exc_val is not None and self.is_recording():
            if self._records_exception:
                self.record_exception(exc_val, escaped=True)
            if self._sets_status_on_exception:
                self.set_status(_ERROR, exception_status(exc_val))
        self.end()

    def _warn_ended(self, call: str) -> None:
        logger.warning("%s on the span %r, which has ended: ignored.", call, self.name)

    def __repr__(self) -> str:
        return f"LightSpan(name={self.name!r}, context={self.context!r})"


Span.register(LightSpan)  # an extension type has no base that is written in Python


def has_failed(spans: Sequence[SpanData]) -> bool:
    """Whether the status of any span is ERROR."""
    for span in spans:
        if type(span) is LightSpan and _is_plain(span):
            continue
        if span.status_code is _ERROR:
            return True
    return False


def _is_plain(span: LightSpan) -> bool:
    return span.is_plain
