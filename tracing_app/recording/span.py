"""The span of the recorder: the OpenTelemetry API's ``Span`` over plain slots.

Any thread may write to a span or end it. A writer first looks up what it will change, then asks whether
the span has ended; ``end`` first says so, then replaces attributes and events by copies. So what a sink
was given never changes, without a lock (``trace_buffer`` says why none). Two threads that write the last
allowed attribute or count a dropped one at the same moment may be off by one.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from types import MappingProxyType, TracebackType

from opentelemetry.trace import Link, Span, SpanContext, SpanKind, Status, StatusCode
from opentelemetry.util.types import AnyValue

from .attributes import NUMBERS, clean_attributes, clean_value, is_valid_key, warn_dropped
from .data import Attributes, EventData, LinkData, Scope
from .exceptions import exception_attributes, exception_status
from .fixed import NOTHING, FixedAttributes
from .trace_buffer import TraceBuffer

logger = logging.getLogger(__name__)

DROPPED_SPANS = "mizuchi.trace.dropped_spans"

_NOT_ENDED = -1
_NOTHING: Attributes = MappingProxyType({})

# The constructor of a named tuple is a Python function: this is the one below it, at half the cost.
_new_event: Callable[[tuple[str, int, Attributes, int]], EventData] = partial(tuple.__new__, EventData)


class LightSpan(Span):
    """A span being recorded, and once it has ended a ``SpanData`` (its links are seen only then).

    ``FixedAttributes`` that it is given stay together in ``fixed``, beside the others in ``varied``; a key is
    in one of them. Source of the rules: OpenTelemetry specification, "Tracing API" (Span) and "Tracing SDK".
    """

    __slots__ = (
        "_is_local_root",
        "_is_open",
        "buffer",
        "context",
        "end_ns",
        "events",
        "fixed",
        "is_parent_remote",
        "is_plain",
        "kind",
        "name",
        "parent_span_id",
        "scope",
        "start_ns",
        "varied",
    )

    # What most spans never change is kept on the class; the base class gives each span room for its own.
    dropped_attributes: int = 0
    dropped_events: int = 0
    dropped_links: int = 0
    links: Sequence[LinkData] = ()
    status_code: StatusCode = StatusCode.UNSET
    status_description: str = ""
    _links: Sequence[LinkData] = ()
    _records_exception: bool = True
    _sets_status_on_exception: bool = True

    fixed: FixedAttributes
    is_plain: bool
    events: Sequence[EventData]  # a list until the span ends
    varied: dict[str, AnyValue]

    def __init__(
        self,
        buffer: TraceBuffer,
        is_local_root: bool,
        scope: Scope,
        context: SpanContext,
        parent_span_id: int,
        is_parent_remote: bool,
        name: str,
        kind: SpanKind,
        attributes: Mapping[str, AnyValue] | None,
        start_time: int | None,
    ) -> None:
        self.buffer = buffer
        self._is_local_root = is_local_root
        self.scope = scope
        self.context = context
        self.parent_span_id = parent_span_id
        self.is_parent_remote = is_parent_remote
        self.name = name
        self.kind = kind
        self.end_ns = _NOT_ENDED
        self._is_open = True
        self.is_plain = True
        self.events = []
        if type(attributes) is FixedAttributes:
            self.fixed = attributes
            self.varied = {}
        elif not attributes:
            self.fixed = NOTHING
            self.varied = {}
        else:
            self.fixed = NOTHING
            limits = buffer.settings.limits
            self.varied, dropped = clean_attributes(
                attributes, limits.max_span_attributes, limits.max_attribute_length
            )
            if dropped:
                self._drop_attributes(dropped)
        self.start_ns = buffer.clock() if start_time is None else start_time

    @property
    def attributes(self) -> Attributes:
        """All of them, in no order that means anything; a key that was fixed may have been set anew."""
        return {**self.fixed, **self.varied} if self.fixed else self.varied

    def get_span_context(self) -> SpanContext:
        return self.context

    def is_recording(self) -> bool:
        return self.end_ns == _NOT_ENDED

    def on_exception(self, *, records: bool, sets_status: bool) -> None:
        """What leaving the span's ``with`` block by an exception does. Both unless told otherwise."""
        self._records_exception = records
        self._sets_status_on_exception = sets_status

    def set_attribute(self, key: str, value: AnyValue) -> None:
        attributes = self.varied
        if self.end_ns != _NOT_ENDED:
            self._warn_ended("set_attribute")
            return
        limits = self.buffer.settings.limits
        kind, kept = type(value), value
        # The plain cases are asked for by exact type, as in ``clean_attributes``.
        is_plain = (kind is str and len(value) <= limits.max_attribute_length) or kind in NUMBERS  # type: ignore[arg-type]
        if not (is_plain and type(key) is str and key):
            kept = clean_value(value, limits.max_attribute_length)
            if kept is None:
                warn_dropped(key, value)
            if kept is None or not is_valid_key(key):
                self._drop_attributes(1)
                return
        if key in attributes or len(attributes) < limits.max_span_attributes:
            attributes[key] = kept
        else:
            self._drop_attributes(1)

    def _drop_attributes(self, count: int) -> None:
        self.is_plain = False
        self.dropped_attributes += count

    def set_attributes(self, attributes: Mapping[str, AnyValue]) -> None:
        present = self.varied
        if self.end_ns != _NOT_ENDED:
            self._warn_ended("set_attributes")
            return
        if type(attributes) is FixedAttributes:
            self.add_fixed(attributes)
            return
        limits = self.buffer.settings.limits
        cleaned, dropped = clean_attributes(attributes, len(attributes), limits.max_attribute_length)
        if dropped:
            self._drop_attributes(dropped)
        if len(present) + len(cleaned) <= limits.max_span_attributes:
            present.update(cleaned)
        else:
            for key, value in cleaned.items():
                self.set_attribute(key, value)

    def add_fixed(self, attributes: FixedAttributes) -> None:
        """``set_attributes``, of a span that has not ended. What was set before is overwritten."""
        varied = self.varied
        if varied and not attributes.keys().isdisjoint(varied):
            for key in attributes.keys() & varied:
                varied.pop(key, None)
        self.fixed = self.fixed.plus[attributes]

    def add_event(
        self, name: str, attributes: Mapping[str, AnyValue] | None = None, timestamp: int | None = None
    ) -> None:
        events: list[EventData] = self.events  # type: ignore[assignment]
        if self.end_ns != _NOT_ENDED:
            self._warn_ended("add_event")
            return
        buffer = self.buffer
        settings = buffer.settings
        time_ns = settings.clock() if timestamp is None else timestamp
        limits = settings.limits
        if attributes:
            kept, dropped = clean_attributes(
                attributes, limits.max_event_attributes, limits.max_attribute_length
            )
            event = _new_event((name, time_ns, kept, dropped))
        else:
            event = _new_event((name, time_ns, _NOTHING, 0))
        if buffer.events_left > 0 and len(events) < limits.max_events:
            buffer.events_left -= 1
            events.append(event)
        else:
            self._replace_oldest_event(events, event)

    def add_moments(self, moments: Sequence[tuple[str, int]]) -> None:
        """Events that have a name and a time (Unix, nanoseconds) and nothing else, by one call."""
        events: list[EventData] = self.events  # type: ignore[assignment]
        if self.end_ns != _NOT_ENDED:
            self._warn_ended("add_moments")
            return
        buffer = self.buffer
        count = len(moments)
        if buffer.events_left >= count and len(events) + count <= buffer.settings.limits.max_events:
            buffer.events_left -= count
            events += [_new_event((name, time_ns, _NOTHING, 0)) for name, time_ns in moments]
        else:
            for name, time_ns in moments:
                self.add_event(name, None, time_ns)

    def _replace_oldest_event(self, events: list[EventData], event: EventData) -> None:
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
        # Few spans have links: the list is made with the first, by one operation for all threads.
        links: list[LinkData] = self.__dict__.setdefault("_links", [])
        if self.end_ns != _NOT_ENDED:
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
        if self.end_ns != _NOT_ENDED:
            self._warn_ended("update_name")
            return
        self.name = name

    def set_status(self, status: Status | StatusCode, description: str | None = None) -> None:
        """``OK`` is final, ``UNSET`` changes nothing, and only ``ERROR`` keeps a description."""
        if self.end_ns != _NOT_ENDED:
            self._warn_ended("set_status")
            return
        if isinstance(status, Status):
            if description is not None:
                logger.warning("set_status: the description beside a Status is ignored.")
            code, description = status.status_code, status.description
        else:
            code = status
        if code is StatusCode.UNSET or self.status_code is StatusCode.OK:
            return
        self.is_plain = False
        self.status_code = code
        self.status_description = self._description(code, description)

    def _description(self, code: StatusCode, description: str | None) -> str:
        if not description:
            return ""
        if code is not StatusCode.ERROR or not isinstance(description, str):
            logger.warning("set_status: a description is a text and goes with ERROR only; ignored.")
            return ""
        return description[: self.buffer.settings.limits.max_attribute_length]

    def end(self, end_time: int | None = None) -> None:
        """The first call ends the span; any other is ignored with a warning."""
        buffer = self.buffer
        end_ns = buffer.clock() if end_time is None else end_time
        try:
            # Of several threads that end a span the interpreter lets one delete the slot.
            del self._is_open
        except AttributeError:
            self._warn_ended("end")
            return
        self.end_ns = end_ns
        if self._is_local_root and buffer.dropped_spans:
            self.varied[DROPPED_SPANS] = buffer.dropped_spans
        varied = self.varied
        if not varied:
            self.varied = {}
        elif self.fixed.keys().isdisjoint(varied):
            self.varied = varied.copy()
        else:  # some that was fixed was set anew
            self.fixed, self.varied = NOTHING, {**self.fixed, **varied}
        self.events = tuple(self.events)
        if not self.is_plain:
            self.links = tuple(self._links)
        if self._is_local_root:
            buffer.close(self)
        else:
            buffer.keep(self)

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
                self.set_status(StatusCode.ERROR, exception_status(exc_val))
        self.end()

    def _warn_ended(self, call: str) -> None:
        logger.warning("%s on the span %r, which has ended: ignored.", call, self.name)

    def __repr__(self) -> str:
        return f"LightSpan(name={self.name!r}, context={self.context!r})"
