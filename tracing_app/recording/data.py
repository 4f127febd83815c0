"""A finished span as data: what the recorder fills in and exporters read.

Names and meanings: OpenTelemetry specification, "Trace SDK", and opentelemetry-proto ``Span``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple, Protocol

from opentelemetry.trace import SpanContext, SpanKind, StatusCode, TraceFlags, TraceState
from opentelemetry.util.types import AttributeValue

from .fixed import FixedAttributes

Attributes = Mapping[str, AttributeValue]


@dataclass(frozen=True, slots=True)
class Scope:
    """The instrumentation scope of a tracer. Compared by value; one instance for each tracer."""

    name: str
    version: str = ""
    schema_url: str = ""
    attributes: tuple[tuple[str, AttributeValue], ...] = ()


class EventData(NamedTuple):
    """Something that happened at a moment; ``time_ns`` is Unix time in nanoseconds."""

    name: str
    time_ns: int
    attributes: Attributes
    dropped_attributes: int = 0


RawEvent = tuple[str, int, Attributes, int]
"""The same without names, at a fraction of the cost."""


class LinkData(NamedTuple):
    """A span that this one is related to without being its parent."""

    context: SpanContext
    attributes: Attributes
    dropped_attributes: int = 0


class SpanData(Protocol):
    """One span. ``parent_span_id`` is 0 without a parent; times are Unix time in nanoseconds. ``attributes``
    are ``fixed`` and ``varied`` together."""

    span_id: int
    trace_flags: TraceFlags
    trace_state: TraceState
    parent_span_id: int
    is_parent_remote: bool
    scope: Scope
    name: str
    kind: SpanKind
    start_ns: int
    end_ns: int
    fixed: FixedAttributes
    dropped_attributes: int
    raw_events: Sequence[RawEvent]
    dropped_events: int
    links: Sequence[LinkData]
    dropped_links: int
    status_code: StatusCode
    status_description: str
    later: Callable[[], Attributes] | None
    is_plain: bool
    """Whether nothing was dropped, no link added and no status set: so it is with most."""

    def complete(self) -> None:
        """Make the attributes of ``later``, if there are any."""

    @property
    def context(self) -> SpanContext: ...

    @property
    def events(self) -> Sequence[EventData]: ...

    @property
    def varied(self) -> Attributes: ...

    @property
    def attributes(self) -> Attributes: ...


def attribute_of(span: SpanData, name: str) -> AttributeValue | None:
    """One attribute, None without it: cheaper than to put all of them together."""
    value = span.varied.get(name)
    return span.fixed.get(name) if value is None else value


class TraceData(NamedTuple):
    """The spans of one trace that this process recorded, kept together until the local root ended.

    ``spans`` are those ended by then, the local root last. ``is_late`` marks a span that ended after its
    local root and follows the decision that was made then.
    """

    trace_id: int
    spans: Sequence[SpanData]
    is_late: bool = False


# The constructor of a named tuple is a Python function: this is the one below it, at half the cost.
trace_data: Callable[[tuple[int, Sequence[SpanData], bool]], TraceData] = partial(tuple.__new__, TraceData)


class TraceSink(Protocol):
    """Takes finished traces. ``offer`` never blocks and never raises: it is called on a request's thread."""

    def offer(self, trace: TraceData, /) -> None: ...
