from __future__ import annotations

from typing import Any

import pytest
from opentelemetry.baggage import get_baggage, set_baggage
from opentelemetry.context import attach, detach, get_current
from opentelemetry.trace import SpanKind, StatusCode, get_current_span

from tracing_app.api import add, inject_context, name_request, redacted_key, stage, subject_hash
from tracing_app.recording.choices import Always
from tracing_app.recording.data import TraceData
from tracing_app.recording.provider import LightTracerProvider
from tracing_app.recording.samplers import HeadSampler
from tracing_app.recording.stage import INSTRUMENTS
from tracing_app.redaction import Redactor


class Kept:
    def __init__(self) -> None:
        self.traces: list[TraceData] = []

    def offer(self, trace: TraceData) -> None:
        self.traces.append(trace)

    def spans(self) -> list[Any]:
        return [span for trace in self.traces for span in trace.spans]


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> Kept:
    sink = Kept()
    tracer = LightTracerProvider(HeadSampler(Always(), tail=False), sink).get_tracer("test")
    monkeypatch.setattr(INSTRUMENTS, "tracer", tracer)
    monkeypatch.setattr(INSTRUMENTS, "redactor", Redactor("hash", [b"k" * 32]))
    return sink


class Refused(Exception):
    code, status = "BadDigest", 400


class Broken(Exception):
    code, status = "ServiceUnavailable", 503


def test_a_stage_is_a_span_with_attributes_and_events(kept: Kept) -> None:
    with stage("upload.part", {"a": 1}, kind="client") as current:
        current.set("b", "two")
        current.event("body.verified", time_ns=17)

    (span,) = kept.spans()
    assert (span.name, span.kind, dict(span.attributes)) == (
        "upload.part",
        SpanKind.CLIENT,
        {"a": 1, "b": "two"},
    )
    assert [(event.name, event.time_ns) for event in span.events] == [("body.verified", 17)]
    assert span.status_code is StatusCode.UNSET


def test_several_attributes_at_once(kept: Kept) -> None:
    with stage("x", {"a": 1}) as current:
        current.set_all({"a": 2, "b": "two"})

    (span,) = kept.spans()
    assert dict(span.attributes) == {"a": 2, "b": "two"}


def test_a_number_is_added_up_on_the_span_under_way(kept: Kept) -> None:
    with stage("outer"):
        add("ms", 1.5)
        with stage("inner"):
            add("ms", 7)
        add("ms", 2)

    inner, outer = kept.spans()
    assert (outer.attributes["ms"], inner.attributes["ms"]) == (3.5, 7)


def test_a_stage_leaves_the_rest_of_the_context_as_it_is(kept: Kept) -> None:
    with_baggage = set_baggage("tenant", "a", get_current())
    token = attach(with_baggage)
    try:
        with stage("outer"):
            outer = get_current_span()
            with stage("inner"):
                assert get_baggage("tenant") == "a"
                assert get_current_span() is not outer
            assert get_current_span() is outer
        assert get_current() is with_baggage
    finally:
        detach(token)


def test_stages_nest(kept: Kept) -> None:
    with stage("outer"), stage("inner"):
        pass

    inner, outer = kept.spans()
    assert inner.parent_span_id == outer.context.span_id


@pytest.mark.parametrize(
    ("error", "error_type", "status"),
    [
        (Refused("alice's secret"), "BadDigest", StatusCode.UNSET),
        (Broken("alice's secret"), "ServiceUnavailable", StatusCode.ERROR),
        (RuntimeError("alice's secret"), "RuntimeError", StatusCode.ERROR),
    ],
    ids=["the client's fault", "ours", "unforeseen"],
)
def test_an_error_is_told_by_type_and_never_by_text(
    kept: Kept, error: Exception, error_type: str, status: StatusCode
) -> None:
    def work() -> None:
        with stage("x"):
            raise error

    with pytest.raises(type(error)):
        work()

    (span,) = kept.spans()
    assert span.attributes["error.type"] == error_type
    assert span.status_code is status
    assert "secret" not in repr((span.attributes, span.events, span.status_description))


def test_the_root_is_named_once_it_is_known_what_is_asked(kept: Kept) -> None:
    with stage("PUT"):
        name_request("PUT s3.PutObject", {"aws.s3.bucket": "b"})

    (span,) = kept.spans()
    assert (span.name, span.attributes["aws.s3.bucket"]) == ("PUT s3.PutObject", "b")


def test_outgoing_headers_carry_the_current_span(kept: Kept) -> None:
    headers: dict[str, str] = {}
    with stage("x"):
        inject_context(headers, "storage.internal", 9000)

    (span,) = kept.spans()
    assert headers["traceparent"].startswith(f"00-{span.context.trace_id:032x}-{span.context.span_id:016x}-")


def test_without_tracing_nothing_happens() -> None:
    headers: dict[str, str] = {}
    with stage("x", {"a": 1}) as current:
        current.set("b", 2)
        current.set_all({"c": 3})
        current.event("d")
        add("e", 1)
        name_request("y", {})
        inject_context(headers, "storage.internal", 9000)

    assert headers == {}
    assert (redacted_key("k"), subject_hash("alice")) == ("", "")
