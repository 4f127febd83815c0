"""What was recorded is exported whole: by the encoder of the house, and by any exporter of the SDK."""

from __future__ import annotations

import io
import json

import pytest
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace.export import ConsoleSpanExporter
from opentelemetry.trace import StatusCode

from tests.tracing_app.recording.programs import PROGRAMS
from tests.tracing_app.recording.recorders import RESOURCE, light, light_spans
from tracing_app.exporting.otlp_wire import SpanEncoder
from tracing_app.recording.sdk_view import as_readable_span

# The SDK's encoder leaves such an attribute out, with a traceback in the log.
ENCODABLE = {name: program for name, program in PROGRAMS.items() if name != "value: beyond 64 bits"}


def test_exporters_of_the_sdk_take_the_view():
    provider, collected = light()
    with provider.get_tracer("mizuchi", "1").start_as_current_span("PUT", attributes={"a": [1]}) as span:
        span.add_event("event", {"b": b"raw"})
        span.set_status(StatusCode.ERROR, "full")
    (view,) = light_spans(collected)
    (encoded,) = encode_spans([view]).resource_spans[0].scope_spans[0].spans
    assert (encoded.name, encoded.status.message) == ("PUT", "full")
    assert encoded.span_id == collected.spans[0].context.span_id.to_bytes(8, "big")
    assert encoded.events[0].attributes[0].value.bytes_value == b"raw"


def test_console_exporter_of_the_sdk_takes_the_view():
    provider, collected = light()
    provider.get_tracer("mizuchi").start_span("PUT", attributes={"a": [1]}).end()
    written = io.StringIO()
    ConsoleSpanExporter(out=written).export([as_readable_span(collected.spans[0], RESOURCE)])
    assert json.loads(written.getvalue())["attributes"] == {"a": [1]}


@pytest.mark.parametrize("program", ENCODABLE.values(), ids=ENCODABLE)
def test_encoder_of_the_house_says_what_that_of_the_sdk_says(program):
    """But for the flags, which tell that an exported span was sampled, and what vendors wrote in a state."""
    provider, collected = light()
    program(provider.get_tracer("mizuchi", "1.0", "https://schema", {"k": 1}))

    ours = ExportTraceServiceRequest.FromString(SpanEncoder(RESOURCE).encode(collected.traces))
    theirs = encode_spans(light_spans(collected))

    for request in (ours, theirs):
        for span in request.resource_spans[0].scope_spans[0].spans:
            span.flags, span.trace_state = 0, ""
            for link in span.links:
                link.flags, link.trace_state = 0, ""
    assert ours == theirs
