"""The trace as OTLP/JSON: as the specification's example has it, read back by protobuf's own reader, and
taken by a real collector."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from google.protobuf import json_format
from opentelemetry.proto.trace.v1.trace_pb2 import Span as SpanMessage
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData
from opentelemetry.sdk.resources import Resource
from opentelemetry.trace import SpanKind, StatusCode

from tests.servers.jaeger import Jaeger
from tests.tracing_app.exporting.otlp_samples import Span, context, request_trace
from tests.tracing_app.store.recorded import Recorded
from tracing_app.exporting.otlp_wire import SpanEncoder
from tracing_app.recording.data import EventData, LinkData, Scope, TraceData
from tracing_app.store.otlp_json import load_otlp_json, otlp_json

JOINED = "0af7651916cd43dd8448eb211c80319c"
TRACE = 0x5B8EFFF798038103D269B633813FC60C


def part(*spans: Span, service: str = "my.service") -> TracesData:
    payload = SpanEncoder(Resource({"service.name": service})).encode([TraceData(TRACE, spans)])
    return TracesData.FromString(payload)


def spans_in(data: TracesData) -> Iterator[SpanMessage]:
    for resource in data.resource_spans:
        for scope in resource.scope_spans:
            yield from scope.spans


def read_back(document: dict[str, Any]) -> TracesData:
    """By the rules of OTLP/JSON: ids are hex, where ProtoJSON has Base64; all else is ProtoJSON."""
    for resource in document["resourceSpans"]:
        for scope in resource["scopeSpans"]:
            for span in scope["spans"]:
                for holder in (span, *span.get("links", [])):
                    for name in {"traceId", "spanId", "parentSpanId"} & holder.keys():
                        holder[name] = base64.b64encode(bytes.fromhex(holder[name])).decode()
    return json_format.ParseDict(document, TracesData())


def test_the_example_of_the_specification() -> None:
    """``examples/trace.json`` of opentelemetry-proto, with the flags that every span of ours has."""
    span = Span(
        context(TRACE, 0xEEE19B7EC3C1B174),
        0xEEE19B7EC3C1B173,
        scope=Scope("my.library", "1.0.0", attributes=(("my.scope.attribute", "some scope attribute"),)),
        name="I'm a server span",
        kind=SpanKind.SERVER,
        start_ns=1_544_712_660_000_000_000,
        end_ns=1_544_712_661_000_000_000,
        attributes={"my.span.attr": "some value"},
    )

    assert otlp_json([part(span)]) == {
        "resourceSpans": [
            {
                "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "my.service"}}]},
                "scopeSpans": [
                    {
                        "scope": {
                            "name": "my.library",
                            "version": "1.0.0",
                            "attributes": [
                                {
                                    "key": "my.scope.attribute",
                                    "value": {"stringValue": "some scope attribute"},
                                }
                            ],
                        },
                        "spans": [
                            {
                                "traceId": "5b8efff798038103d269b633813fc60c",
                                "spanId": "eee19b7ec3c1b174",
                                "parentSpanId": "eee19b7ec3c1b173",
                                "flags": 257,
                                "name": "I'm a server span",
                                "startTimeUnixNano": "1544712660000000000",
                                "endTimeUnixNano": "1544712661000000000",
                                "kind": 2,
                                "attributes": [
                                    {"key": "my.span.attr", "value": {"stringValue": "some value"}}
                                ],
                                "status": {},
                            }
                        ],
                    }
                ],
            }
        ]
    }


def test_all_that_a_span_can_have_is_read_back() -> None:
    values = {
        "text": "\N{SNOWMAN} \0",
        "big": 2**63 - 1,
        "small": -(2**63),
        "zero": 0,
        "no": False,
        "ratio": 0.1,
        "endless": float("inf"),
        "bytes": b"\x00\xff",
        "list": ["a", "b"],
        "numbers": [1, 2],
        "traceId": "not an id",
    }
    span = Span(
        context(TRACE, 1),
        2,
        attributes=values,
        dropped_attributes=1,
        events=[EventData("body.received", 5, {"spanId": "not an id"}, 1)],
        dropped_events=2,
        links=[LinkData(context(7, 8, is_remote=True), values)],
        dropped_links=3,
        status_code=StatusCode.ERROR,
        status_description="told",
    )

    document = json.loads(json.dumps(otlp_json([part(span)])))

    assert read_back(document) == part(span)


def test_requests_of_one_process_are_under_one_resource_and_no_span_is_there_twice() -> None:
    one, two = (Span(context(TRACE, number)) for number in (1, 2))

    document = otlp_json([part(one), part(two, one), part(one), part(one, service="twice")])

    assert [len(resource["scopeSpans"]) for resource in document["resourceSpans"]] == [1]
    assert [span.span_id[-1] for span in spans_in(read_back(document))] == [1, 2]

    document = otlp_json([part(one), part(two, service="another")])
    assert [len(resource["scopeSpans"]) for resource in document["resourceSpans"]] == [1, 1]
    assert otlp_json([]) == {"resourceSpans": []}


@pytest.mark.django_db(databases=["traces"])
def test_a_stored_trace() -> None:
    recorded = Recorded()
    recorded.request("CreateMultipartUpload", trace_id=JOINED)
    recorded.request("UploadPart", trace_id=JOINED, at=20)
    recorded.request("PutObject")
    recorded.save()

    document = load_otlp_json(JOINED.upper())

    assert document is not None
    assert [span.name for span in spans_in(read_back(document))] == [
        "upload.work",
        "PUT s3.CreateMultipartUpload",
        "upload.work",
        "PUT s3.UploadPart",
    ]
    assert load_otlp_json("f" * 32) is None


def test_a_collector_takes_it(jaeger: Jaeger) -> None:
    trace = request_trace(0x7157)
    payload = SpanEncoder(Resource({"service.name": "as-json"})).encode([trace])
    document = otlp_json([TracesData.FromString(payload)])

    taken = httpx.post(f"{jaeger.otlp_endpoint('http/protobuf')}/v1/traces", json=document)

    assert taken.status_code == 200, taken.text
    found = jaeger.wait_for(f"{0x7157:032x}", len(trace.spans))
    assert {(each.name, each.kind, each.span_id, each.parent_id) for each in found} == {
        (
            span.name,
            span.kind.name,
            f"{span.context.span_id:016x}",
            f"{span.parent_span_id:016x}" if span.parent_span_id else "",
        )
        for span in trace.spans
    }
    (upload,) = (each for each in found if each.name == "upload.put_object")
    assert upload.attributes["mizuchi.upload.bytes"] == 1000 + 0x7157
    assert upload.events[0] == "body.first_byte"
