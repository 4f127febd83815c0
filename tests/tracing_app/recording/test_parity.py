"""Programs against the API leave the same spans behind as with the SDK's provider."""

from __future__ import annotations

import pytest
from opentelemetry.sdk.trace import SpanLimits, sampling
from opentelemetry.trace import Link, NonRecordingSpan, Tracer, set_span_in_context

from tests.tracing_app.recording.programs import OTHER, PROGRAMS
from tests.tracing_app.recording.recorders import REMOTE_CONTEXT, comparable, light, light_spans, sdk
from tracing_app.recording.choices import Always, Never, ParentBased, Ratio
from tracing_app.recording.samplers import HeadSampler
from tracing_app.recording.settings import RecordingLimits

SAMPLERS = {
    "ours": (HeadSampler(Always(), tail=False), sampling.ALWAYS_ON),
    "the SDK's": (sampling.ALWAYS_ON, sampling.ALWAYS_ON),
    "parent based": (HeadSampler(ParentBased(Always()), tail=False), sampling.DEFAULT_ON),
    "the SDK's parent based": (sampling.DEFAULT_ON, sampling.DEFAULT_ON),
    "never": (HeadSampler(ParentBased(Never()), tail=False), sampling.DEFAULT_OFF),
    "a ratio": (HeadSampler(Ratio(0.5), tail=False), sampling.TraceIdRatioBased(0.5)),
}


@pytest.mark.parametrize("sampler", SAMPLERS.values(), ids=SAMPLERS)
@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)
def test_spans_equal_those_of_the_sdk(program, sampler, monkeypatch):
    ours, theirs = sampler
    reference, expected = sdk(monkeypatch, theirs, SpanLimits(max_attribute_length=4096))
    provider, collected = light(ours)

    program(reference.get_tracer("mizuchi", "1.0", "https://schema", {"k": 1}))
    program(provider.get_tracer("mizuchi", "1.0", "https://schema", {"k": 1}))

    assert comparable(light_spans(collected)) == comparable(expected)


def limited(tracer: Tracer) -> None:
    links = [Link(OTHER, {"n": number, "text": "abcdef", "more": 1}) for number in range(4)]
    with tracer.start_as_current_span("root", links=links) as span:
        for number in range(5):
            span.add_event(f"event {number}", {"text": "abcdef", "n": number, "more": 1})
        span.add_link(OTHER, {"last": True})
        span.set_attribute("text", "abcdef")
        span.set_attribute("texts", ["abcdef", "ab", ["abcdef"]])
        span.set_attribute("map", {"text": "abcdef"})


LIMITS = {
    "events": {"max_events": 2},
    "one event": {"max_events": 1},
    "no events": {"max_events": 0},
    "links": {"max_links": 2},
    "no links": {"max_links": 0},
    "length": {"max_attribute_length": 3},
    "no length": {"max_attribute_length": 0},
    "no attributes": {"max_span_attributes": 0, "max_event_attributes": 0, "max_link_attributes": 0},
}


@pytest.mark.parametrize("limits", LIMITS.values(), ids=LIMITS)
def test_limits_drop_what_the_sdk_drops(limits, monkeypatch):
    reference, expected = sdk(monkeypatch, sampling.ALWAYS_ON, SpanLimits(**limits))
    provider, collected = light(limits=RecordingLimits(**limits))

    limited(reference.get_tracer("mizuchi"))
    limited(provider.get_tracer("mizuchi"))

    assert comparable(light_spans(collected)) == comparable(expected)


@pytest.mark.parametrize("context", [None, REMOTE_CONTEXT], ids=["root", "remote parent"])
def test_context_of_a_dropped_span_is_that_of_the_sdk(context, monkeypatch):
    reference, _ = sdk(monkeypatch, sampling.ALWAYS_OFF)
    provider, _ = light(HeadSampler(Never(), tail=False))
    seen = []
    for each in (reference, provider):
        tracer = each.get_tracer("mizuchi")
        root = tracer.start_span("root", context=context)
        child = tracer.start_span("child", context=set_span_in_context(root))
        bare = set_span_in_context(NonRecordingSpan(child.get_span_context()))
        grandchild = tracer.start_span("grandchild", context=bare)
        seen.append([span.get_span_context() for span in (root, child, grandchild)])
        assert not root.is_recording()
        assert not child.is_recording()

    assert seen[0] == seen[1]
