"""Our spans as the SDK's, so that any exporter made for the SDK can be given them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TypeVar

from opentelemetry.attributes import BoundedAttributes
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.util import BoundedList
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, Status

from .data import Attributes, EventData, LinkData, Scope, SpanData

T = TypeVar("T")


def as_readable_span(span: SpanData, resource: Resource) -> ReadableSpan:
    """A read-only span of the SDK with the same content, counts of what was dropped included.

    The parent's context has its ids and whether it is remote, which is what exporters read; its own
    flags and tracestate are taken from the span.
    """
    return ReadableSpan(
        name=span.name,
        context=span.context,
        parent=_parent(span),
        resource=resource,
        attributes=_attributes(span.attributes, span.dropped_attributes),
        events=_bounded([_event(event) for event in span.events], span.dropped_events),
        links=_bounded([_link(link) for link in span.links], span.dropped_links),
        kind=span.kind,
        status=Status(span.status_code, span.status_description or None),
        start_time=span.start_ns,
        end_time=span.end_ns,
        instrumentation_scope=_scope(span.scope),
    )


def _parent(span: SpanData) -> SpanContext | None:
    if not span.parent_span_id:
        return None
    own = span.context
    return SpanContext(
        own.trace_id, span.parent_span_id, span.is_parent_remote, own.trace_flags, own.trace_state
    )


def _attributes(attributes: Attributes, dropped: int) -> BoundedAttributes:
    bounded = BoundedAttributes(attributes=attributes)
    bounded.dropped = dropped
    return bounded


def _event(event: EventData) -> Event:
    return Event(event.name, _attributes(event.attributes, event.dropped_attributes), event.time_ns)


def _link(link: LinkData) -> Link:
    return Link(link.context, _attributes(link.attributes, link.dropped_attributes))


def _bounded(items: Sequence[T], dropped: int) -> BoundedList[T]:
    bounded: BoundedList[T] = BoundedList.from_seq(None, items)
    bounded.dropped = dropped
    return bounded


@lru_cache(maxsize=256)
def _scope(scope: Scope) -> InstrumentationScope:
    return InstrumentationScope(scope.name, scope.version, scope.schema_url, dict(scope.attributes))
