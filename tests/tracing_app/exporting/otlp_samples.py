"""Spans as the recorder would hand them over, and OTLP messages built from them the ordinary way."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import (
    AnyValue,
    ArrayValue,
    InstrumentationScope,
    KeyValue,
    KeyValueList,
)
from opentelemetry.proto.resource.v1 import resource_pb2
from opentelemetry.proto.trace.v1 import trace_pb2
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import SpanContext, SpanKind, StatusCode, TraceFlags

from tests.tracing_app.recording.recorders import Collected
from tracing_app.recording.data import Attributes, EventData, LinkData, Scope, TraceData
from tracing_app.recording.settings import RecordingSettings
from tracing_app.recording.span import LightSpan
from tracing_app.recording.trace_buffer import TraceBuffer

SCOPE = Scope("uploads", "1.2", "https://opentelemetry.io/schemas/1.40.0")
RESOURCE = Resource({"service.name": "mizuchi", "host.cpus": 4}, "https://opentelemetry.io/schemas/1.41.0")


_SETTINGS = RecordingSettings(sampler=ALWAYS_ON, sink=Collected(), head=None)


def Span(
    context: SpanContext,
    parent_span_id: int = 0,
    is_parent_remote: bool = False,
    scope: Scope = SCOPE,
    name: str = "upload.put_object",
    kind: SpanKind = SpanKind.INTERNAL,
    start_ns: int = 1_700_000_000_000_000_000,
    end_ns: int = 1_700_000_000_500_000_000,
    attributes: Attributes | None = None,
    dropped_attributes: int = 0,
    events: Sequence[EventData] = (),
    dropped_events: int = 0,
    links: Sequence[LinkData] = (),
    dropped_links: int = 0,
    status_code: StatusCode = StatusCode.UNSET,
    status_description: str = "",
) -> LightSpan:
    """A span that has ended, with all of this in it whatever the recorder would have made of it."""
    span = LightSpan()
    span.begin(
        TraceBuffer(_SETTINGS, context.trace_id),
        False,
        scope,
        context.span_id,
        context.trace_flags,
        context.trace_state,
        parent_span_id,
        is_parent_remote,
        name,
        kind,
        None,
        start_ns,
    )
    span.end_ns, span.varied, span.is_plain = end_ns, dict(attributes or {}), False
    span.raw_events, span.links = [tuple(event) for event in events], links
    span.dropped_attributes, span.dropped_events = dropped_attributes, dropped_events
    span.dropped_links = dropped_links
    span.status_code, span.status_description = status_code, status_description
    return span


def context(trace_id: int = 1, span_id: int = 1, *, is_remote: bool = False) -> SpanContext:
    return SpanContext(trace_id, span_id, is_remote, TraceFlags(1))


def trace_of(number: int, spans: int = 1, *, is_error: bool = False, padding: int = 0) -> TraceData:
    """A trace with that id; its root is in error when asked."""
    made = [Span(context(number, index + 1), attributes={"n": number}) for index in range(spans)]
    if is_error:
        made[-1].status_code = StatusCode.ERROR
    if padding:
        made[0].varied = {"padding": f"{number:08d}" + "x" * padding}
    return TraceData(number, made)


def request_trace(number: int = 7) -> TraceData:
    """What one upload leaves: 4 spans, 16 attributes, 4 events."""
    status = {"http.response.status_code": 200, "server.address": "localhost"}
    root = {
        "http.request.method": "PUT",
        "url.path": f"/b/{number}",
        **status,
        "http.route": "/{bucket}/{key}",
    }
    auth = {"mizuchi.auth.method": "sigv4", "mizuchi.auth.outcome": "allow", "user.hash": "0f" * 8}
    upload = {"aws.s3.bucket": "files", "aws.s3.key": f"a/{number}", "mizuchi.upload.bytes": 1000 + number}
    upload |= {"mizuchi.upload.method": "simple", "mizuchi.upload.zero_copy": True}
    backend = {"rpc.system.name": "aws-api", "rpc.method": "PutObject", "aws.s3.bucket": "files"}
    names = ("body.first_byte", "body.received", "body.verified", "object.committed")
    events = [EventData(name, 1_700_000_000_000_000_000 + at, {}) for at, name in enumerate(names)]
    return TraceData(
        number,
        [
            Span(context(number, 2), 1, name="auth.sigv4", attributes=auth),
            Span(context(number, 4), 3, name="S3.PutObject", kind=SpanKind.CLIENT, attributes=backend),
            Span(context(number, 3), 1, attributes=upload, events=events),
            Span(context(number, 1), name="PUT s3.PutObject", kind=SpanKind.SERVER, attributes=root),
        ],
    )


def reference(traces: Iterable[TraceData], resource: Resource) -> ExportTraceServiceRequest:
    """The message of these traces, by the generated classes."""
    groups: dict[int, trace_pb2.ScopeSpans] = {}
    for trace in traces:
        for span in trace.spans:
            if id(span.scope) not in groups:
                scope = InstrumentationScope(
                    name=_clean(span.scope.name),
                    version=_clean(span.scope.version),
                    attributes=_pairs(dict(span.scope.attributes)),
                )
                groups[id(span.scope)] = trace_pb2.ScopeSpans(
                    scope=scope, schema_url=_clean(span.scope.schema_url)
                )
            groups[id(span.scope)].spans.append(_span(trace.trace_id, span))
    if not groups:
        return ExportTraceServiceRequest()
    resource_spans = trace_pb2.ResourceSpans(
        resource=resource_pb2.Resource(attributes=_pairs(resource.attributes)),
        scope_spans=groups.values(),
        schema_url=resource.schema_url,
    )
    return ExportTraceServiceRequest(resource_spans=[resource_spans])


def _state(context: SpanContext) -> str:
    """The samples' only field of OpenTelemetry's own, if the state has it."""
    return "ot=th:8" if "ot" in context.trace_state else ""


def _span(trace_id: int, span: LightSpan) -> trace_pb2.Span:
    return trace_pb2.Span(
        trace_id=trace_id.to_bytes(16, "big"),
        span_id=span.context.span_id.to_bytes(8, "big"),
        trace_state=_state(span.context),
        parent_span_id=span.parent_span_id.to_bytes(8, "big") if span.parent_span_id else b"",
        flags=span.context.trace_flags | 1 | 0x100 | (0x200 if span.is_parent_remote else 0),
        name=_clean(span.name),
        kind=getattr(trace_pb2.Span.SpanKind, f"SPAN_KIND_{span.kind.name}"),
        start_time_unix_nano=span.start_ns,
        end_time_unix_nano=span.end_ns,
        attributes=_pairs(span.attributes),
        dropped_attributes_count=span.dropped_attributes,
        events=[
            trace_pb2.Span.Event(
                time_unix_nano=event.time_ns,
                name=_clean(event.name),
                attributes=_pairs(event.attributes),
                dropped_attributes_count=event.dropped_attributes,
            )
            for event in span.events
        ],
        dropped_events_count=span.dropped_events,
        links=[
            trace_pb2.Span.Link(
                trace_id=link.context.trace_id.to_bytes(16, "big"),
                span_id=link.context.span_id.to_bytes(8, "big"),
                trace_state=_state(link.context),
                attributes=_pairs(link.attributes),
                dropped_attributes_count=link.dropped_attributes,
                flags=link.context.trace_flags | 0x100 | (0x200 if link.context.is_remote else 0),
            )
            for link in span.links
        ],
        dropped_links_count=span.dropped_links,
        status=trace_pb2.Status(
            code=getattr(trace_pb2.Status, f"STATUS_CODE_{span.status_code.name}"),
            message=_clean(span.status_description),
        ),
    )


def _pairs(attributes: Mapping[str, object]) -> list[KeyValue]:
    return [KeyValue(key=_clean(key), value=_value(value)) for key, value in attributes.items()]


def _value(value: object) -> AnyValue:
    match value:
        case None:
            return AnyValue()
        case bool():
            return AnyValue(bool_value=value)
        case int() if -(2**63) <= value < 2**63:
            return AnyValue(int_value=value)
        case int():
            return AnyValue(string_value=str(value))
        case float():
            return AnyValue(double_value=value)
        case str():
            return AnyValue(string_value=_clean(value))
        case bytes():
            return AnyValue(bytes_value=value)
        case Mapping():
            return AnyValue(kvlist_value=KeyValueList(values=_pairs(value)))
        case Sequence():
            return AnyValue(array_value=ArrayValue(values=[_value(item) for item in value]))
    raise TypeError(value)


def _clean(text: str) -> str:
    return text.encode("utf-8", "replace").decode()
