"""The same program on the SDK and on the recorder: same ids, same clock, spans as ReadableSpans."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from opentelemetry.sdk import trace as sdk_trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.sdk.trace.sampling import Sampler
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    TraceFlags,
    TracerProvider,
    TraceState,
    set_span_in_context,
)

from tracing_app.recording.choices import Always
from tracing_app.recording.data import SpanData, TraceData
from tracing_app.recording.provider import LightTracerProvider
from tracing_app.recording.samplers import HeadSampler
from tracing_app.recording.sdk_view import as_readable_span
from tracing_app.recording.settings import RecordingLimits

RESOURCE = Resource({"service.name": "mizuchi-test"})

REMOTE = SpanContext(
    0xA1A2A3A4A5A6A7A8B1B2B3B4B5B6B7B8,
    0xC1C2C3C4C5C6C7C8,
    is_remote=True,
    trace_flags=TraceFlags(TraceFlags.SAMPLED),
    trace_state=TraceState([("vendor", "opaque"), ("other", "1")]),
)
REMOTE_CONTEXT = set_span_in_context(NonRecordingSpan(REMOTE))


class CountedIds(IdGenerator):
    def __init__(self) -> None:
        self._trace_ids = itertools.count(0x1000)
        self._span_ids = itertools.count(0x10)

    def generate_trace_id(self) -> int:
        return next(self._trace_ids)

    def generate_span_id(self) -> int:
        return next(self._span_ids)

    def is_trace_id_random(self) -> bool:
        return True


@dataclass
class Collected:
    """A sink that keeps what it is given."""

    traces: list[TraceData] = field(default_factory=list)

    def offer(self, trace: TraceData) -> None:
        self.traces.append(trace)

    @property
    def spans(self) -> list[SpanData]:
        return [span for trace in self.traces for span in trace.spans]

    def named(self, name: str) -> SpanData:
        (found,) = [span for span in self.spans if span.name == name]
        return found


def ticking_clock(start: int = 1_000) -> Iterator[int]:
    return itertools.count(start, 10)


def light(
    sampler: Sampler | None = None, limits: RecordingLimits | None = None, *, record_stacktraces: bool = True
) -> tuple[LightTracerProvider, Collected]:
    """A provider with counted ids and a clock that ticks at each reading, and its sink."""
    ids, clock, collected = CountedIds(), ticking_clock(), Collected()
    provider = LightTracerProvider(
        sampler or HeadSampler(Always(), tail=False),
        collected,
        limits=limits,
        clock=lambda: next(clock),
        new_trace_id=ids.generate_trace_id,
        new_span_id=ids.generate_span_id,
        record_stacktraces=record_stacktraces,
    )
    return provider, collected


def light_spans(collected: Collected) -> list[ReadableSpan]:
    return [as_readable_span(span, RESOURCE) for span in collected.spans]


class _Keep(SpanProcessor):
    def __init__(self) -> None:
        self.spans: list[ReadableSpan] = []

    def on_end(self, span: ReadableSpan) -> None:
        self.spans.append(span)


def sdk(
    monkeypatch, sampler: Sampler, limits: sdk_trace.SpanLimits | None = None
) -> tuple[TracerProvider, list[ReadableSpan]]:
    """The SDK's provider on the same ids and clock, and the list its ended spans come into."""
    clock = ticking_clock()
    monkeypatch.setattr(sdk_trace, "time_ns", lambda: next(clock))
    kept = _Keep()
    provider = sdk_trace.TracerProvider(
        sampler=sampler,
        resource=RESOURCE,
        id_generator=CountedIds(),
        span_limits=limits,
        shutdown_on_exit=False,
    )
    provider.add_span_processor(kept)
    return provider, kept.spans


def fields(span: ReadableSpan) -> dict[str, object]:
    """Everything an exporter can read of a span, to be compared."""
    parent, scope = span.parent, span.instrumentation_scope
    return {
        "name": span.name,
        "context": span.context,
        "flags": span.context.trace_flags,
        "trace_state": dict(span.context.trace_state),
        "parent": parent and (parent.trace_id, parent.span_id, parent.is_remote),
        "kind": span.kind,
        "start": span.start_time,
        "end": span.end_time,
        "attributes": dict(span.attributes),
        "attribute_order": list(span.attributes),
        "dropped_attributes": span.dropped_attributes,
        "events": [
            (event.name, event.timestamp, _event_attributes(event), event.dropped_attributes)
            for event in span.events
        ],
        "dropped_events": span.dropped_events,
        "links": [(link.context, dict(link.attributes), link.dropped_attributes) for link in span.links],
        "dropped_links": span.dropped_links,
        "status": (span.status.status_code, span.status.description or ""),
        "resource": span.resource,
        "scope": scope and (scope.name, scope.version, scope.schema_url, dict(scope.attributes)),
    }


def _event_attributes(event: sdk_trace.Event) -> dict[str, object]:
    """Without what differs by design.

    The SDK writes the boolean ``exception.escaped`` of the conventions as a text, and the lines of a
    traceback between the first and the last name the recorder's own frames.
    """
    attributes = dict(event.attributes)
    if "exception.escaped" in attributes:
        attributes["exception.escaped"] = str(attributes["exception.escaped"])
    if "\n" in str(attributes.get("exception.stacktrace", "")):
        lines = attributes["exception.stacktrace"].splitlines()
        attributes["exception.stacktrace"] = (lines[0], lines[-1])
    return dict(sorted(attributes.items()))


def comparable(spans: Sequence[ReadableSpan]) -> list[dict[str, object]]:
    return sorted((fields(span) for span in spans), key=lambda each: each["context"].span_id)
