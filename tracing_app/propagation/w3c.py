"""Trace context and baggage of HTTP requests, in and out: one reader and one writer for the whole house."""

from __future__ import annotations

import os
from collections.abc import MutableMapping

from opentelemetry.context import Context, get_current
from opentelemetry.propagators.textmap import (
    CarrierT,
    Getter,
    Setter,
    TextMapPropagator,
    default_getter,
    default_setter,
)
from opentelemetry.trace import (
    DEFAULT_TRACE_STATE,
    NonRecordingSpan,
    SpanContext,
    TraceFlags,
    get_current_span,
    set_span_in_context,
)

from .baggage import format_baggage, with_baggage
from .traceparent import format_traceparent, parse_traceparent
from .tracestate import parse_tracestate

TRACEPARENT, TRACESTATE, BAGGAGE = "traceparent", "tracestate", "baggage"

_NOTHING = Context()
_FLAGS = tuple(TraceFlags(bits) for bits in range(4))


def read_context(
    traceparent: str, tracestate: str = "", baggage: str = "", context: Context = _NOTHING
) -> Context:
    """The context with what the headers of a request say; fields sent several times are joined by commas.

    A malformed ``traceparent`` is none, and takes ``tracestate`` with it (W3C Trace Context, 3.3).
    """
    parent = read_parent(traceparent, tracestate) if traceparent else None
    if parent is not None:
        context = set_span_in_context(NonRecordingSpan(parent), context)
    return with_baggage(context, baggage) if baggage else context


def read_parent(traceparent: str, tracestate: str = "") -> SpanContext | None:
    """The remote span that the headers name, None without a valid one."""
    parent = parse_traceparent(traceparent)
    if parent is None:
        return None
    state = parse_tracestate(tracestate) if tracestate else DEFAULT_TRACE_STATE
    return SpanContext(int(parent.trace_id, 16), parent.parent_id, True, _FLAGS[parent.flags], state)


def write_context(
    headers: MutableMapping[str, str], *, and_baggage: bool, context: Context | None = None
) -> None:
    """Add the headers for a request below what is under way; none when nothing is."""
    if context is None:
        context = get_current()
    span = get_current_span(context).get_span_context()
    if span.is_valid:
        headers[TRACEPARENT] = format_traceparent(span)
        if span.trace_state:
            headers[TRACESTATE] = span.trace_state.to_header()
    if and_baggage and (baggage := format_baggage(context)):
        headers[BAGGAGE] = baggage


class W3CPropagator(TextMapPropagator):
    """The same for libraries that go through the API. They cannot say where a request goes to, so baggage,
    which is for named hosts only, is read and never written."""

    def extract(
        self,
        carrier: CarrierT,
        context: Context | None = None,
        getter: Getter[CarrierT] = default_getter,
    ) -> Context:
        def text(name: str) -> str:
            return ",".join(getter.get(carrier, name) or ())

        if context is None:
            context = get_current()
        return read_context(text(TRACEPARENT), text(TRACESTATE), text(BAGGAGE), context)

    def inject(
        self,
        carrier: CarrierT,
        context: Context | None = None,
        setter: Setter[CarrierT] = default_setter,
    ) -> None:
        headers: dict[str, str] = {}
        write_context(headers, and_baggage=False, context=context)
        for name, value in headers.items():
            setter.set(carrier, name, value)

    @property
    def fields(self) -> set[str]:
        return {TRACEPARENT, TRACESTATE}


def propagate_for_libraries() -> None:
    """What libraries read and write through the API agrees from now on. To be called before any of them is
    imported: the API reads ``OTEL_PROPAGATORS`` when it is, and raises for a name that is not installed."""
    os.environ.pop("OTEL_PROPAGATORS", None)
    from opentelemetry.propagate import set_global_textmap

    set_global_textmap(W3CPropagator())
