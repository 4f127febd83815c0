"""Where a new span belongs, and what its context says."""

from __future__ import annotations

import contextvars
import inspect

import pytest
from opentelemetry import context as context_api
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import (
    INVALID_SPAN,
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    TraceFlags,
    TraceState,
    set_span_in_context,
)
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from tests.tracing_app.recording.recorders import REMOTE, REMOTE_CONTEXT, light
from tracing_app.recording.choices import Never
from tracing_app.recording.dropped_span import DroppedSpan
from tracing_app.recording.samplers import HeadSampler
from tracing_app.recording.span_context import context_below
from tracing_app.recording.tracer import LightTracer


@pytest.fixture
def recorder():
    provider, collected = light()
    return provider.get_tracer("mizuchi"), collected


@pytest.mark.parametrize("method", ["start_span", "start_as_current_span"])
def test_signature_is_that_of_the_api(method):
    def parameters(function):
        return [
            (each.name, each.default, each.kind) for each in inspect.signature(function).parameters.values()
        ]

    assert parameters(getattr(LightTracer, method)) == parameters(getattr(trace.Tracer, method))


def test_start_span_does_not_become_current(recorder):
    tracer, _ = recorder
    before = trace.get_current_span()
    tracer.start_span("root")
    assert trace.get_current_span() is before


def test_current_span_is_restored(recorder):
    tracer, _ = recorder
    with tracer.start_as_current_span("root") as root:
        assert trace.get_current_span() is root
        with tracer.start_as_current_span("child") as child:
            assert trace.get_current_span() is child
        assert trace.get_current_span() is root
    assert trace.get_current_span() is INVALID_SPAN


@pytest.mark.parametrize(
    "context",
    [
        context_api.Context(),
        set_span_in_context(INVALID_SPAN),
        set_span_in_context(NonRecordingSpan(SpanContext(0, 5, is_remote=True))),
        set_span_in_context(NonRecordingSpan(SpanContext(2**128, 5, is_remote=True))),
        set_span_in_context(object()),
    ],
    ids=["empty", "invalid span", "no trace id", "trace id too long", "no span"],
)
def test_root_span_has_a_trace_of_its_own(recorder, context):
    tracer, collected = recorder
    with tracer.start_as_current_span("current"):
        tracer.start_span("root", context=context).end()
    root = collected.named("root")
    assert (root.parent_span_id, root.is_parent_remote) == (0, False)
    assert root.context.trace_id != collected.named("current").context.trace_id
    assert root.context.trace_flags == TraceFlags.SAMPLED | TraceFlags.RANDOM_TRACE_ID
    assert not root.context.is_remote


def test_child_shares_trace_flags_and_state(recorder):
    tracer, collected = recorder
    with (
        tracer.start_as_current_span("server", context=REMOTE_CONTEXT),
        tracer.start_as_current_span("inner"),
    ):
        pass
    server, inner = collected.named("server"), collected.named("inner")
    assert (server.parent_span_id, server.is_parent_remote) == (REMOTE.span_id, True)
    assert (inner.parent_span_id, inner.is_parent_remote) == (server.context.span_id, False)
    for span in (server, inner):
        assert span.context.trace_id == REMOTE.trace_id
        assert span.context.trace_flags == REMOTE.trace_flags
        assert span.context.trace_state == REMOTE.trace_state
        assert not span.context.is_remote


def test_unknown_flags_of_a_remote_parent_are_not_continued(recorder):
    tracer, _ = recorder
    parent = SpanContext(REMOTE.trace_id, REMOTE.span_id, True, TraceFlags(0xFF))
    span = tracer.start_span("server", context=set_span_in_context(NonRecordingSpan(parent)))
    assert span.get_span_context().trace_flags == 0x03


def test_context_below_is_what_the_constructor_makes():
    state = TraceState([("a", "b")])
    parent = SpanContext(0x77, 0x88, is_remote=True, trace_flags=TraceFlags(3), trace_state=state)
    expected = SpanContext(0x77, 0x99, is_remote=False, trace_flags=TraceFlags(3), trace_state=state)
    made = context_below(parent, 0x99)
    assert made == expected
    assert type(made) is SpanContext
    assert made.is_valid
    assert repr(made) == repr(expected)


def test_span_of_another_provider_is_a_parent_but_not_of_our_trace(recorder):
    tracer, collected = recorder
    other = TracerProvider(shutdown_on_exit=False).get_tracer("other")
    elsewhere, others = light()
    with other.start_as_current_span("of the SDK") as sdk_span:
        tracer.start_span("below the SDK's").end()
    with elsewhere.get_tracer("mizuchi").start_as_current_span("of another recorder") as light_span:
        tracer.start_span("below another's").end()
    assert [len(each.spans) for each in collected.traces] == [1, 1]
    assert collected.named("below the SDK's").parent_span_id == sdk_span.get_span_context().span_id
    assert collected.named("below another's").parent_span_id == light_span.get_span_context().span_id
    assert [span.name for span in others.spans] == ["of another recorder"]


def test_kind_attributes_and_start_time_are_taken(recorder):
    tracer, collected = recorder
    tracer.start_span("GET", None, SpanKind.CLIENT, {"a": 1}, None, 55).end()
    (span,) = collected.spans
    assert (span.kind, span.attributes, span.start_ns) == (SpanKind.CLIENT, {"a": 1}, 55)


def test_dropped_spans_are_of_one_kind_and_never_seen():
    provider, collected = light(HeadSampler(Never(), tail=False))
    tracer = provider.get_tracer("mizuchi")
    with tracer.start_as_current_span("root", attributes={"a": 1}) as root:
        with tracer.start_as_current_span("child") as child:
            child.set_attribute("a", 1)
        root.add_event("event")
    assert isinstance(root, DroppedSpan)
    assert isinstance(child, DroppedSpan)
    assert collected.traces == []


def test_context_of_a_dropped_span_is_propagated():
    provider, _ = light(HeadSampler(Never(), tail=False))
    headers: dict[str, str] = {}
    with provider.get_tracer("mizuchi").start_as_current_span("server", context=REMOTE_CONTEXT) as span:
        TraceContextTextMapPropagator().inject(headers)
    context = span.get_span_context()
    assert headers == {
        "traceparent": f"00-{REMOTE.trace_id:032x}-{context.span_id:016x}-00",
        "tracestate": "vendor=opaque,other=1",
    }
    assert context.span_id != REMOTE.span_id


def test_contexts_of_tasks_do_not_mix(recorder):
    tracer, collected = recorder

    def request(name: str):
        with tracer.start_as_current_span(name):
            yield
            tracer.start_span(f"{name} child").end()
            yield

    first, second = contextvars.copy_context(), contextvars.copy_context()
    one, two = request("one"), request("two")
    for context, steps in ((first, one), (second, two), (first, one), (second, two)):
        context.run(next, steps)
    for context, steps in ((first, one), (second, two)):
        context.run(next, steps, None)
    assert [[span.name for span in each.spans] for each in collected.traces] == [
        ["one child", "one"],
        ["two child", "two"],
    ]


def test_current_span_as_decorator_starts_one_span_for_each_call(recorder):
    tracer, collected = recorder

    @tracer.start_as_current_span("work")
    def work(depth: int) -> int:
        """Go down."""
        return depth and work(depth - 1)

    assert work(2) == 0
    assert work.__doc__ == "Go down."
    (only,) = collected.traces
    assert len({span.context.span_id for span in only.spans}) == 3


def test_end_on_exit_can_be_declined(recorder):
    tracer, collected = recorder
    with tracer.start_as_current_span("root", end_on_exit=False) as root:
        pass
    assert root.is_recording()
    assert collected.traces == []
