"""The API's Span, call by call, as the specification defines it."""

from __future__ import annotations

import logging

import pytest
from opentelemetry.trace import (
    INVALID_SPAN_CONTEXT,
    Link,
    Span,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
)

from tests.tracing_app.recording.recorders import light
from tracing_app.recording.data import EventData, LinkData
from tracing_app.recording.settings import RecordingLimits

OTHER = SpanContext(0x77, 0x88, is_remote=True, trace_flags=TraceFlags(1))


class Fault(Exception):
    pass


class Unprintable(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no text for you")


def started(limits: RecordingLimits | None = None, **options):
    provider, collected = light(limits=limits)
    return provider.get_tracer("mizuchi").start_span("PUT", **options), collected


def ended(span: Span, collected):
    span.end()
    (found,) = collected.spans
    return found


def test_span_is_of_the_api():
    span, _ = started()
    assert isinstance(span, Span)
    assert span.get_span_context().is_valid
    assert span.get_span_context() is span.get_span_context()


def test_bare_span_has_only_name_kind_and_times():
    span = ended(*started())
    assert (span.name, span.kind, span.parent_span_id, span.is_parent_remote) == (
        "PUT",
        SpanKind.INTERNAL,
        0,
        False,
    )
    assert (span.attributes, list(span.events), list(span.links)) == ({}, [], [])
    assert (span.dropped_attributes, span.dropped_events, span.dropped_links) == (0, 0, 0)
    assert (span.status_code, span.status_description) == (StatusCode.UNSET, "")
    assert (span.start_ns, span.end_ns) == (1_000, 1_010)


def test_records_until_it_ends():
    span, _ = started()
    assert span.is_recording()
    span.end()
    assert not span.is_recording()


def test_end_at_the_epoch_is_an_end():
    span, collected = started()
    span.end(end_time=0)
    assert not span.is_recording()
    assert collected.spans[0].end_ns == 0


@pytest.mark.parametrize(
    "write",
    [
        lambda span: span.set_attribute("a", 2),
        lambda span: span.set_attributes({"a": 2}),
        lambda span: span.add_event("late"),
        lambda span: span.add_link(OTHER),
        lambda span: span.record_exception(Fault("late")),
        lambda span: span.update_name("late"),
        lambda span: span.set_status(StatusCode.ERROR, "late"),
        lambda span: span.end(5),
    ],
    ids=[
        "set_attribute",
        "set_attributes",
        "add_event",
        "add_link",
        "record_exception",
        "update_name",
        "set_status",
        "end",
    ],
)
def test_call_after_the_end_changes_nothing_and_warns_once(write, caplog):
    span, collected = started(attributes={"a": 1})
    found = ended(span, collected)
    caplog.clear()

    write(span)

    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert found.attributes == {"a": 1}
    assert (found.name, found.events, list(found.links)) == ("PUT", (), [])
    assert (found.status_code, found.end_ns) == (StatusCode.UNSET, 1_010)
    assert len(collected.traces) == 1


def test_what_the_sink_was_given_is_out_of_the_writers_reach():
    span, collected = started(attributes={"a": 1})
    span.add_event("one")
    span.add_link(OTHER)
    attributes, events = span.varied, span.raw_events
    found = ended(span, collected)

    attributes["b"] = 2
    events.clear()
    span.add_link(OTHER)

    assert found.attributes == {"a": 1}
    assert [event.name for event in found.events] == ["one"]
    assert len(found.links) == 1


def test_attributes_and_events_can_be_read_while_the_span_is_open():
    span, _ = started(attributes={"a": 1})
    span.set_attribute("b", 2)
    span.add_event("one")
    assert span.attributes == {"a": 1, "b": 2}
    assert [event.name for event in span.events] == ["one"]


@pytest.mark.parametrize(
    ("calls", "expected"),
    [
        ([], (StatusCode.UNSET, "")),
        ([(StatusCode.ERROR,)], (StatusCode.ERROR, "")),
        ([(StatusCode.ERROR, "full")], (StatusCode.ERROR, "full")),
        ([(Status(StatusCode.ERROR, "full"),)], (StatusCode.ERROR, "full")),
        ([(StatusCode.OK,), (StatusCode.ERROR, "late")], (StatusCode.OK, "")),
        ([(StatusCode.OK,), (Status(StatusCode.ERROR, "late"),)], (StatusCode.OK, "")),
        ([(StatusCode.ERROR, "early"), (StatusCode.OK,)], (StatusCode.OK, "")),
        ([(StatusCode.ERROR, "one"), (StatusCode.UNSET,)], (StatusCode.ERROR, "one")),
        ([(StatusCode.ERROR, "one"), (Status(),)], (StatusCode.ERROR, "one")),
        ([(StatusCode.ERROR, "one"), (StatusCode.ERROR, "two")], (StatusCode.ERROR, "two")),
    ],
    ids=[
        "never set",
        "error",
        "error with text",
        "status object",
        "ok is final",
        "ok is final for objects",
        "ok over error",
        "unset over error",
        "unset object over error",
        "last error",
    ],
)
def test_status(calls, expected):
    span, collected = started()
    for arguments in calls:
        span.set_status(*arguments)
    found = ended(span, collected)
    assert (found.status_code, found.status_description) == expected


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ((StatusCode.OK, "fine"), (StatusCode.OK, "")),
        ((StatusCode.ERROR, 5), (StatusCode.ERROR, "")),
        ((Status(StatusCode.ERROR, "kept"), "ignored"), (StatusCode.ERROR, "kept")),
    ],
    ids=["text with ok", "no text", "text beside an object"],
)
def test_status_description_in_the_wrong_place_is_ignored_with_a_warning(arguments, expected, caplog):
    span, collected = started()
    span.set_status(*arguments)
    assert len(caplog.records) == 1
    found = ended(span, collected)
    assert (found.status_code, found.status_description) == expected


def test_event_has_name_attributes_and_time():
    span, collected = started()
    span.add_event("now")
    span.add_event("then", {"n": [1]}, 77)
    found = ended(span, collected)
    assert found.events == (EventData("now", 1_010, {}), EventData("then", 77, {"n": (1,)}))


def test_links_at_the_start_and_later():
    links = [Link(OTHER, {"why": "batch"}), Link(INVALID_SPAN_CONTEXT), None]
    span, collected = started(links=links)
    span.add_link(OTHER)
    span.add_link(INVALID_SPAN_CONTEXT)
    span.add_link(INVALID_SPAN_CONTEXT, {"told": True})
    span.add_link(None)
    assert ended(span, collected).links == (
        LinkData(OTHER, {"why": "batch"}),
        LinkData(OTHER, {}),
        LinkData(INVALID_SPAN_CONTEXT, {"told": True}),
    )


def test_exception_is_an_event_by_the_conventions():
    span, collected = started()
    try:
        raise Fault("disk full")
    except Fault as fault:
        span.record_exception(fault, escaped=True)
    (event,) = ended(span, collected).events
    stacktrace = event.attributes["exception.stacktrace"]
    assert event.name == "exception"
    assert stacktrace.startswith("Traceback (most recent call last)")
    assert stacktrace.rstrip().endswith("Fault: disk full")
    assert {**event.attributes, "exception.stacktrace": ""} == {
        "exception.type": f"{__name__}.Fault",
        "exception.message": "disk full",
        "exception.escaped": True,
        "exception.stacktrace": "",
    }


def test_exception_of_python_itself_has_no_module():
    span, collected = started()
    span.record_exception(ValueError("bad"), {"exception.message": "replaced", "more": 1}, timestamp=5)
    (event,) = ended(span, collected).events
    assert event.time_ns == 5
    assert (event.attributes["exception.type"], event.attributes["exception.message"]) == (
        "ValueError",
        "replaced",
    )
    assert event.attributes["more"] == 1


def test_stacktrace_can_be_left_out():
    provider, collected = light(record_stacktraces=False)
    with pytest.raises(Fault), provider.get_tracer("mizuchi").start_as_current_span("PUT"):
        raise Fault("disk full")
    (event,) = collected.spans[0].events
    assert set(event.attributes) == {"exception.type", "exception.message", "exception.escaped"}


@pytest.mark.parametrize("block", ["start_span", "start_as_current_span"])
def test_exception_without_a_text_is_recorded_and_goes_on(block):
    provider, collected = light(record_stacktraces=False)
    with pytest.raises(Unprintable), getattr(provider.get_tracer("mizuchi"), block)("PUT"):
        raise Unprintable
    (span,) = collected.spans
    assert span.events[0].attributes["exception.message"] == "<exception str() failed>"
    assert span.status_description == "Unprintable: <exception str() failed>"


def test_span_block_returns_the_span_and_ends_it():
    span, collected = started()
    with span as entered:
        assert entered is span
    assert len(collected.spans) == 1


def test_new_name():
    span, collected = started()
    span.update_name("PUT s3.PutObject")
    assert ended(span, collected).name == "PUT s3.PutObject"


def test_text_form_names_the_span():
    span, _ = started()
    assert "PUT" in repr(span)
    assert "0x00000000000000000000000000001000" in repr(span)


def test_attributes_of_later_are_made_once_and_beside_what_was_set():
    span, collected = started(attributes={"a": 1})
    made = []

    def make():
        made.append(True)
        return {"a": 2, "b": "x" * 9}

    span.describe_later(make)
    found = ended(span, collected)
    assert made == []
    assert found.attributes == {"a": 1, "b": "x" * 9}
    assert made == [True]


def test_attributes_of_later_that_cannot_be_made_are_told_and_missing(caplog: pytest.LogCaptureFixture):
    span, collected = started(attributes={"a": 1})
    span.describe_later(lambda: {"b": 1 / 0})
    assert ended(span, collected).attributes == {"a": 1}
    assert "could not be made" in caplog.text
