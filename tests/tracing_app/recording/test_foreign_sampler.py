"""A sampler that is not ours is asked about every span, and its answer is followed."""

from __future__ import annotations

import pytest
from opentelemetry.sdk.trace.sampling import Decision, Sampler, SamplingResult
from opentelemetry.trace import Link, SpanKind, TraceState, get_current_span, set_span_in_context

from tests.tracing_app.recording.recorders import REMOTE, REMOTE_CONTEXT, light
from tracing_app.recording.settings import RecordingLimits


class Scripted(Sampler):
    def __init__(self, *decisions: Decision) -> None:
        self._decisions = list(decisions)
        self.questions: list[dict[str, object]] = []

    def should_sample(
        self, parent_context, trace_id, name, kind=None, attributes=None, links=None, trace_state=None
    ):
        self.questions.append(
            {
                "parent": get_current_span(parent_context).get_span_context().span_id,
                "trace_id": trace_id,
                "name": name,
                "kind": kind,
                "attributes": attributes,
                "links": links,
            }
        )
        state = TraceState([("sampler", "was-here")])
        return SamplingResult(self._decisions.pop(0), {**(attributes or {}), "sampler": True}, state)

    def get_description(self) -> str:
        return "Scripted"


def test_question_holds_what_the_specification_lists():
    sampler = Scripted(Decision.RECORD_AND_SAMPLE)
    provider, _ = light(sampler)
    links = [Link(REMOTE)]
    provider.get_tracer("mizuchi").start_span("PUT", REMOTE_CONTEXT, SpanKind.SERVER, {"a": 1}, links)
    assert sampler.questions == [
        {
            "parent": REMOTE.span_id,
            "trace_id": REMOTE.trace_id,
            "name": "PUT",
            "kind": SpanKind.SERVER,
            "attributes": {"a": 1},
            "links": links,
        }
    ]


@pytest.mark.parametrize("decision", [Decision.RECORD_AND_SAMPLE, Decision.RECORD_ONLY])
def test_attributes_and_state_of_the_sampler_are_used(decision):
    provider, collected = light(Scripted(decision))
    provider.get_tracer("mizuchi").start_span("PUT", attributes={"a": 1}).end()
    (span,) = collected.spans
    assert span.attributes == {"a": 1, "sampler": True}
    assert dict(span.context.trace_state) == {"sampler": "was-here"}
    assert span.context.trace_flags.sampled is (decision is Decision.RECORD_AND_SAMPLE)


def test_each_child_is_asked_for_and_recorded_children_join():
    sampler = Scripted(Decision.RECORD_AND_SAMPLE, Decision.RECORD_ONLY, Decision.DROP)
    provider, collected = light(sampler)
    tracer = provider.get_tracer("mizuchi")
    with tracer.start_as_current_span("root"):
        tracer.start_span("recorded").end()
        assert not tracer.start_span("dropped").is_recording()
    (only,) = collected.traces
    assert [(span.name, span.context.trace_flags.sampled) for span in only.spans] == [
        ("recorded", False),
        ("root", True),
    ]
    assert len(sampler.questions) == 3


def test_child_of_a_dropped_span_is_asked_for_again_and_is_a_local_root():
    sampler = Scripted(Decision.DROP, Decision.RECORD_AND_SAMPLE)
    provider, collected = light(sampler)
    tracer = provider.get_tracer("mizuchi")
    with tracer.start_as_current_span("dropped") as dropped:
        tracer.start_span("taken up").end()
    (span,) = collected.spans
    assert (span.name, span.parent_span_id) == ("taken up", dropped.get_span_context().span_id)


def test_nothing_is_asked_below_what_the_limit_of_the_trace_dropped():
    sampler = Scripted(Decision.RECORD_AND_SAMPLE, Decision.RECORD_AND_SAMPLE)
    provider, collected = light(sampler, RecordingLimits(max_trace_spans=1))
    tracer = provider.get_tracer("mizuchi")
    with tracer.start_as_current_span("root"):
        beyond = tracer.start_span("beyond")
        tracer.start_span("below", context=set_span_in_context(beyond)).end()
    (root,) = collected.spans
    assert root.attributes["mizuchi.trace.dropped_spans"] == 2
    assert len(sampler.questions) == 2
