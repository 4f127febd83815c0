"""Our bytes against the generated classes' messages and against the SDK's own encoder."""

from __future__ import annotations

import math
import sys
from concurrent.futures import ThreadPoolExecutor
from enum import StrEnum

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags, TraceState

from tests.tracing_app.exporting.otlp_samples import (
    RESOURCE,
    SCOPE,
    Span,
    context,
    reference,
    request_trace,
    trace_of,
)
from tracing_app.exporting.attribute_wire import PairCache, encode_attributes
from tracing_app.exporting.otlp_wire import SpanEncoder
from tracing_app.recording.data import EventData, LinkData, Scope, TraceData

texts = st.text(st.characters(codec=None, exclude_categories=()), max_size=12)
plain_texts = st.text(max_size=12)
integers = st.integers() | st.sampled_from(
    [0, 1, -1, 127, 128, 2**63 - 1, 2**63, -(2**63), -(2**63) - 1, 2**64]
)
scalars = texts | st.booleans() | integers | st.floats() | st.binary(max_size=9)
values = scalars | st.lists(scalars | st.none(), max_size=4) | st.lists(texts, max_size=3).map(tuple)
values |= st.dictionaries(texts, scalars, max_size=2)
attributes = st.dictionaries(texts, values, max_size=6)
times = st.integers(0, 2**64 - 1)
counts = st.integers(0, 2**32 - 1)
states = st.just(TraceState()) | st.just(TraceState([("rojo", "00f067aa0ba902b7"), ("ot", "th:8")]))
contexts = st.builds(
    SpanContext,
    st.integers(1, 2**128 - 1),
    st.integers(1, 2**64 - 1),
    st.booleans(),
    st.integers(0, 255).map(TraceFlags),
    states,
)
scopes = st.builds(Scope, texts, texts, texts, attributes.map(lambda found: tuple(found.items())))
events = st.builds(EventData, texts, times, attributes, counts)
links = st.builds(LinkData, contexts, attributes, counts)
spans = st.builds(
    Span,
    context=contexts,
    parent_span_id=st.just(0) | st.integers(1, 2**64 - 1),
    is_parent_remote=st.booleans(),
    scope=st.just(SCOPE) | scopes,
    name=texts,
    kind=st.sampled_from(SpanKind),
    start_ns=times,
    end_ns=times,
    attributes=attributes,
    dropped_attributes=counts,
    events=st.lists(events, max_size=3),
    dropped_events=counts,
    links=st.lists(links, max_size=3),
    dropped_links=counts,
    status_code=st.sampled_from(StatusCode),
    status_description=texts,
)
traces = st.lists(st.builds(TraceData, st.just(1), st.lists(spans, max_size=4)), max_size=3)

quick = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


def parsed(payload: bytes) -> ExportTraceServiceRequest:
    return ExportTraceServiceRequest.FromString(payload)


def same(payload: bytes, message: ExportTraceServiceRequest) -> bool:
    """Equal as serialized: a NaN is not equal to itself, its bytes are."""
    return parsed(payload).SerializeToString(deterministic=True) == message.SerializeToString(
        deterministic=True
    )


@quick
@given(traces)
def test_the_bytes_are_those_of_the_message_built_the_ordinary_way(found: list[TraceData]) -> None:
    assert same(SpanEncoder(RESOURCE).encode(found), reference(found, RESOURCE))


shared = SpanEncoder(RESOURCE)


@quick
@given(traces)
def test_what_the_caches_hold_from_other_spans_changes_nothing(found: list[TraceData]) -> None:
    assert same(shared.encode(found), reference(found, RESOURCE))


@quick
@given(attributes, plain_texts)
def test_the_resource_is_told_with_its_schema(found: dict[str, object], schema: str) -> None:
    resource = Resource(
        {key: value for key, value in found.items() if isinstance(value, str | bool | int) and key}, schema
    )
    sent = [trace_of(1)]
    assert same(SpanEncoder(resource).encode(sent), reference(sent, resource))


ordinary_attributes = st.dictionaries(
    st.text(min_size=1, max_size=8),
    plain_texts
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False)
    | st.lists(plain_texts).map(tuple),
    max_size=5,
)
ordinary_spans = st.builds(
    Span,
    context=st.builds(
        SpanContext,
        st.integers(1, 2**128 - 1),
        st.integers(1, 2**64 - 1),
        st.just(False),
        st.just(TraceFlags(1)),
        states,
    ),
    parent_span_id=st.just(0) | st.integers(1, 2**64 - 1),
    is_parent_remote=st.booleans(),
    name=plain_texts,
    kind=st.sampled_from(SpanKind),
    start_ns=times,
    end_ns=times,
    attributes=ordinary_attributes,
    events=st.lists(st.builds(EventData, plain_texts, times, ordinary_attributes), max_size=3),
    links=st.lists(st.builds(LinkData, contexts, ordinary_attributes), max_size=2),
    status_code=st.sampled_from([StatusCode.UNSET, StatusCode.ERROR]),
)


def readable(span: Span) -> ReadableSpan:
    parent = SpanContext(span.context.trace_id, span.parent_span_id, span.is_parent_remote)
    return ReadableSpan(
        name=span.name,
        context=span.context,
        parent=parent if span.parent_span_id else None,
        resource=RESOURCE,
        attributes=span.attributes,
        events=[Event(event.name, event.attributes, event.time_ns) for event in span.events],
        links=[Link(link.context, link.attributes) for link in span.links],
        kind=span.kind,
        status=Status(span.status_code),
        start_time=span.start_ns,
        end_time=span.end_ns,
        instrumentation_scope=InstrumentationScope(SCOPE.name, SCOPE.version, SCOPE.schema_url),
    )


@quick
@given(st.lists(ordinary_spans, min_size=1, max_size=4))
def test_the_sdk_s_encoder_says_the_same_but_for_what_it_leaves_out(found: list[Span]) -> None:
    """It writes no W3C flags, all of a span's state, none of a link's; without a parent nothing is remote."""
    for span in found:
        span.is_parent_remote = bool(span.parent_span_id) and span.is_parent_remote
    ours = parsed(SpanEncoder(RESOURCE).encode([TraceData(span.context.trace_id, [span]) for span in found]))
    theirs = encode_spans([readable(span) for span in found])
    for span in theirs.resource_spans[0].scope_spans[0].spans:
        span.trace_state = ""
    for span in ours.resource_spans[0].scope_spans[0].spans:
        span.trace_state = ""
        span.flags &= ~0xFF
        for link in span.links:
            link.flags &= ~0xFF
            link.trace_state = ""
    assert ours == theirs


@pytest.mark.parametrize(
    ("first", "second"),
    [(1, True), (True, 1), (1, 1.0), (1.0, 1), (0, False), (0.0, -0.0), (0, 0.0), ("1", 1)],
    ids=repr,
)
def test_values_that_compare_equal_are_not_taken_for_each_other(first: object, second: object) -> None:
    sent = [
        TraceData(1, [Span(context(), attributes={"k": value}) for value in (first, second, first, second)])
    ]
    assert same(SpanEncoder(RESOURCE).encode(sent), reference(sent, RESOURCE))


class Method(StrEnum):
    PUT = "PUT"


class Unknown:
    pass


@pytest.mark.parametrize(
    ("value", "kind", "told"),
    [
        (2**63, "string_value", "9223372036854775808"),
        (-(2**63), "int_value", -(2**63)),
        (math.inf, "double_value", math.inf),
        (b"\x00\xff", "bytes_value", b"\x00\xff"),
        ("\udc80", "string_value", "?"),
        (Method.PUT, "string_value", "PUT"),
        (bytearray(b"x"), "bytes_value", b"x"),
        (Unknown(), "string_value", "<Unknown>"),
        (None, None, None),
    ],
)
def test_a_value_is_told_by_its_type(value: object, kind: str | None, told: object) -> None:
    sent = [TraceData(1, [Span(context(), attributes={"k": value})])]
    (pair,) = parsed(SpanEncoder(RESOURCE).encode(sent)).resource_spans[0].scope_spans[0].spans[0].attributes
    assert pair.value.WhichOneof("value") == kind
    assert kind is None or getattr(pair.value, kind) == told


def test_no_traces_are_no_bytes() -> None:
    assert SpanEncoder(RESOURCE).encode([]) == b""


def test_an_exported_span_says_it_was_sampled() -> None:
    unsampled = SpanContext(1, 1, False, TraceFlags(0))
    (span,) = (
        parsed(SpanEncoder(RESOURCE).encode([TraceData(1, [Span(unsampled)])]))
        .resource_spans[0]
        .scope_spans[0]
        .spans
    )
    assert span.flags == 0x101


def test_a_key_with_many_values_is_no_longer_kept() -> None:
    cache = PairCache(b"\x4a", max_values=8)
    for number in range(1000):
        cache.append_to([], {"aws.s3.key": f"k/{number}", "aws.s3.bucket": f"b{number % 4}"})
    assert len(cache) == 4


def test_many_keys_and_long_values_are_not_kept() -> None:
    cache = PairCache(b"\x4a", max_keys=16, max_length=64)
    for number in range(1000):
        cache.append_to([], {f"k{number}": 1, "long": "x" * 100, "key" * 100: 1})
    assert len(cache) <= 16


def test_a_kept_pair_is_the_pair_encoded_anew() -> None:
    cache = PairCache(b"\x4a")
    found = {"a": "b", "n": -5, "t": True, "l": ("x", "y")}
    for _ in range(3):
        parts: list[bytes] = []
        cache.append_to(parts, found)
        assert b"".join(parts) == encode_attributes(b"\x4a", found)


def test_scopes_and_names_beyond_the_bounds_are_still_told_right() -> None:
    encoder = SpanEncoder(RESOURCE)
    for number in range(3000):
        sent = [TraceData(1, [Span(context(), name=f"n{number}", scope=Scope(f"s{number}"))])]
        if number % 500 == 0:
            assert same(encoder.encode(sent), reference(sent, RESOURCE))
        else:
            encoder.encode(sent)
    assert same(encoder.encode([request_trace()]), reference([request_trace()], RESOURCE))


def test_threads_that_encode_at_once_do_not_mix_anything_up() -> None:
    """There are more names than room, so what is kept for all of them is thrown away meanwhile."""
    encoder = SpanEncoder(RESOURCE)

    def encoded_wrong(first: int) -> list[int]:
        wrong = []
        for number in range(first, first + 400):
            trace = request_trace(number)
            trace.spans[0].name = f"n{number % 1500}"
            whole = encoder.encode([encoder.prepare(trace).content])
            if number % 20 == 0 and not same(whole, reference([trace], RESOURCE)):
                wrong.append(number)
        return wrong

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        with ThreadPoolExecutor(4) as pool:
            assert not [each for found in pool.map(encoded_wrong, range(1, 4000, 1000)) for each in found]
    finally:
        sys.setswitchinterval(interval)
