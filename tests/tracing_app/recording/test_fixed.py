"""Fixed attributes are attributes like others: to the API, to rules, in a queue and on the wire."""

from __future__ import annotations

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.resources import Resource

from tests.tracing_app.recording.recorders import Collected, light
from tracing_app.exporting.otlp_wire import SpanEncoder
from tracing_app.exporting.trace_queue import weigh
from tracing_app.recording.data import TraceData
from tracing_app.recording.fixed import FixedAttributes
from tracing_app.recording.span import LightSpan

FIXED = FixedAttributes({"method": "PUT", "port": 80, "secure": False})


def started(attributes: object = None) -> tuple[LightSpan, Collected]:
    provider, collected = light()
    span = provider.get_tracer("mizuchi").start_span("PUT", attributes=attributes)  # type: ignore[arg-type]
    assert isinstance(span, LightSpan)
    return span, collected


def on_the_wire(trace: TraceData, encoder: SpanEncoder | None = None) -> list[tuple[str, object]]:
    message = ExportTraceServiceRequest.FromString((encoder or SpanEncoder(Resource({}))).encode([trace]))
    (span,) = message.resource_spans[0].scope_spans[0].spans
    return [(pair.key, getattr(pair.value, pair.value.WhichOneof("value") or "")) for pair in span.attributes]


def test_they_are_seen_beside_the_others_and_exported_once_each() -> None:
    span, collected = started(FIXED)
    span.set_attributes(FixedAttributes({"route": "/{bucket}"}))
    span.set_attribute("size", 3)
    assert span.attributes == {"method": "PUT", "port": 80, "secure": False, "route": "/{bucket}", "size": 3}
    span.end()
    (trace,) = collected.traces
    assert trace.spans[0].attributes == span.attributes
    assert sorted(on_the_wire(trace), key=str) == sorted(span.attributes.items(), key=str)


def test_what_is_set_by_itself_has_precedence_and_the_fixed_ones_never_change() -> None:
    span, collected = started(FIXED)
    span.set_attribute("port", 8080)
    span.set_attribute("route", "/a")
    span.set_attributes({"method": "POST"})
    span.set_attributes(FixedAttributes({"route": "/b", "secure": True}))
    span.end()
    told = {"method": "POST", "port": 8080, "secure": True, "route": "/a"}
    assert span.attributes == told
    assert dict(on_the_wire(collected.traces[0])) == told
    assert len(on_the_wire(collected.traces[0])) == 4
    assert FIXED == {"method": "PUT", "port": 80, "secure": False}


def test_what_is_no_valid_attribute_is_not_in_them() -> None:
    assert FixedAttributes({"good": 1, "": 2, "object": object()}) == {"good": 1}  # type: ignore[dict-item]


def test_two_encoders_tell_the_same() -> None:
    span, collected = started(FIXED)
    span.end()
    (trace,) = collected.traces
    assert on_the_wire(trace) == on_the_wire(trace, SpanEncoder(Resource({"a": 1})))


def test_they_weigh_as_much_as_others() -> None:
    sizes = []
    for attributes in (FIXED, dict(FIXED)):
        span, collected = started(attributes)
        span.end()
        sizes.append(weigh(collected.traces[0]).size)
    assert sizes[0] == sizes[1]


def test_they_do_not_count_after_the_end() -> None:
    span, _ = started(FIXED)
    span.end()
    span.set_attributes(FixedAttributes({"late": True}))
    assert "late" not in span.attributes
