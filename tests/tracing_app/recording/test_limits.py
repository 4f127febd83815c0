"""What is too much is dropped and counted, in one span and in one trace."""

from __future__ import annotations

import pytest
from opentelemetry.trace import Link, SpanContext, StatusCode, set_span_in_context

from tests.tracing_app.recording.recorders import light
from tracing_app.recording.settings import RecordingLimits

OTHER = SpanContext(0x77, 0x88, is_remote=True)


def tracer_with(**limits):
    provider, collected = light(limits=RecordingLimits(**limits))
    return provider.get_tracer("mizuchi"), collected


def test_new_attribute_beyond_the_limit_is_discarded():
    tracer, collected = tracer_with(max_span_attributes=2)
    with tracer.start_as_current_span("PUT", attributes={"a": 1, "b": 2, "c": 3}) as span:
        span.set_attribute("d", 4)
        span.set_attributes({"e": 5, "a": 6})
        span.set_attribute("b", 7)
    (found,) = collected.spans
    assert found.attributes == {"a": 6, "b": 7}
    assert found.dropped_attributes == 3


def test_attributes_of_events_and_links_have_limits_of_their_own():
    tracer, collected = tracer_with(max_event_attributes=1, max_link_attributes=2)
    many = {"a": 1, "b": 2, "c": 3}
    with tracer.start_as_current_span("PUT", links=[Link(OTHER, many)]) as span:
        span.add_event("event", many)
    (found,) = collected.spans
    assert (found.events[0].attributes, found.events[0].dropped_attributes) == ({"a": 1}, 2)
    assert (found.links[0].attributes, found.links[0].dropped_attributes) == ({"a": 1, "b": 2}, 1)
    assert found.dropped_attributes == 0


def test_last_events_and_links_stay():
    tracer, collected = tracer_with(max_events=2, max_links=1)
    with tracer.start_as_current_span("PUT") as span:
        for number in range(4):
            span.add_event(f"event {number}")
            span.add_link(OTHER, {"n": number})
    (found,) = collected.spans
    assert ([event.name for event in found.events], found.dropped_events) == (["event 2", "event 3"], 2)
    assert ([link.attributes for link in found.links], found.dropped_links) == ([{"n": 3}], 3)


def test_texts_are_cut_everywhere():
    tracer, collected = tracer_with(max_attribute_length=3)
    with tracer.start_as_current_span("PUT", attributes={"start": "abcdef"}) as span:
        span.set_attribute("later", "abcdef")
        span.set_attribute("bytes", b"abcdef")
        span.set_attribute("deep", [{"in": ["abcdef", "ab"]}])
        span.add_event("event", {"in": "abcdef"})
        span.set_status(StatusCode.ERROR, "abcdef")
    (found,) = collected.spans
    assert found.attributes == {
        "start": "abc",
        "later": "abc",
        "bytes": b"abc",
        "deep": ({"in": ("abc", "ab")},),
    }
    assert found.events[0].attributes == {"in": "abc"}
    assert found.status_description == "abc"
    assert found.dropped_attributes == 0


def test_spans_of_one_trace_are_bounded_and_the_root_tells_how_many_were_dropped():
    tracer, collected = tracer_with(max_trace_spans=3)
    with tracer.start_as_current_span("root"):
        for number in range(5):
            with tracer.start_as_current_span(f"child {number}") as child:
                tracer.start_span(f"grandchild {number}").end()
                assert child.get_span_context().is_valid
    (trace,) = collected.traces
    assert [span.name for span in trace.spans] == ["grandchild 0", "child 0", "root"]
    assert trace.spans[-1].attributes == {"mizuchi.trace.dropped_spans": 8}


def test_dropped_span_hands_the_trace_on():
    tracer, collected = tracer_with(max_trace_spans=1)
    with tracer.start_as_current_span("root") as root:
        outer = tracer.start_span("dropped")
        inner = tracer.start_span("below", context=set_span_in_context(outer))
        contexts = [span.get_span_context() for span in (root, outer, inner)]
    assert not outer.is_recording()
    assert not inner.is_recording()
    assert len({context.span_id for context in contexts}) == 3
    assert {(context.trace_id, context.trace_flags) for context in contexts} == {(0x1000, 3)}
    assert [trace.is_late for trace in collected.traces] == [False]


def test_a_new_trace_has_its_full_room():
    tracer, collected = tracer_with(max_trace_spans=2)
    for _ in range(3):
        with tracer.start_as_current_span("root"):
            tracer.start_span("child").end()
    assert [len(trace.spans) for trace in collected.traces] == [2, 2, 2]
    assert all(span.attributes == {} for span in collected.spans)


def test_events_of_one_trace_are_bounded():
    tracer, collected = tracer_with(max_trace_events=3)
    with tracer.start_as_current_span("root") as root:
        with tracer.start_as_current_span("child") as child:
            for number in range(5):
                child.add_event(f"event {number}")
        root.add_event("no room left")
    child, root = collected.spans
    assert ([event.name for event in child.events], child.dropped_events) == (
        ["event 2", "event 3", "event 4"],
        2,
    )
    assert (root.events, root.dropped_events) == ((), 1)


@pytest.mark.parametrize("name", ["max_events", "max_links", "max_span_attributes", "max_attribute_length"])
def test_nothing_at_all_may_be_allowed(name):
    tracer, collected = tracer_with(**{name: 0})
    with tracer.start_as_current_span("PUT", attributes={"a": "text"}, links=[Link(OTHER)]) as span:
        span.add_event("event")
    (found,) = collected.spans
    kept = {
        "max_events": len(found.events),
        "max_links": len(found.links),
        "max_span_attributes": len(found.attributes),
        "max_attribute_length": len(str(found.attributes.get("a", ""))),
    }
    assert kept[name] == 0
    assert list(kept.values()).count(0) == (2 if name == "max_span_attributes" else 1)
