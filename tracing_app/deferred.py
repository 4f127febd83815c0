"""Spans of work that a request asked for and that is done after it ended."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self

from opentelemetry.trace import Link, NonRecordingSpan, SpanKind, set_span_in_context

from tracing_app.api import AttributeValue, stage
from tracing_app.propagation.w3c import BAGGAGE, TRACEPARENT, TRACESTATE, read_context, read_parent
from tracing_app.recording.choices import trusted
from tracing_app.recording.stage import INSTRUMENTS


class deferred(stage):  # noqa: N801 - reads as the context manager it is
    """A CLIENT span outside of any request. ``begun_in`` are the headers that ``inject_context`` wrote while
    it was asked for: with ``joins`` the span is below the one of then, in its trace and sampled as that was;
    else it begins a trace that is linked to it. Baggage goes on in both.
    """

    __slots__ = ("_begun_in", "_described", "_joins")

    def __init__(
        self,
        name: str,
        attributes: Mapping[str, AttributeValue],
        begun_in: Mapping[str, str],
        *,
        joins: bool,
    ) -> None:
        super().__init__(name, attributes, kind="client")
        self._described = name, attributes
        self._begun_in = begun_in
        self._joins = joins

    def __enter__(self) -> Self:
        tracer = INSTRUMENTS.tracer
        if tracer is None:
            return super().__enter__()
        begun_in = self._begun_in
        context = read_context("", "", begun_in.get(BAGGAGE, ""))
        parent = read_parent(begun_in.get(TRACEPARENT, ""), begun_in.get(TRACESTATE, ""))
        links = None
        if parent is not None and self._joins:
            context = set_span_in_context(NonRecordingSpan(trusted(parent)), context)
        elif parent is not None:
            links = [Link(parent)]
        name, attributes = self._described
        self.begin(tracer.start_span(name, context, SpanKind.CLIENT, attributes, links), context)
        return self
