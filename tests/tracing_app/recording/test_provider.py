"""Tracers by scope."""

from __future__ import annotations

import pytest
from opentelemetry import trace

from tests.tracing_app.recording.recorders import light
from tracing_app.recording.data import Scope


def test_provider_and_tracer_are_of_the_api():
    provider, _ = light()
    assert isinstance(provider, trace.TracerProvider)
    assert isinstance(provider.get_tracer("mizuchi"), trace.Tracer)


def test_same_scope_same_tracer():
    provider, _ = light()
    first = provider.get_tracer("name", "1", "https://schema", {"a": 1, "b": ["x"]})
    assert provider.get_tracer("name", "1", "https://schema", {"b": ["x"], "a": 1}) is first


@pytest.mark.parametrize(
    "other",
    [("other", "1", "s", {"a": 1}), ("n", "2", "s", {"a": 1}), ("n", "1", "t", {"a": 1}), ("n", "1", "s")],
    ids=["name", "version", "schema", "attributes"],
)
def test_another_scope_another_tracer(other):
    provider, _ = light()
    assert provider.get_tracer(*other) is not provider.get_tracer("n", "1", "s", {"a": 1})


def test_spans_carry_their_scope():
    provider, collected = light()
    provider.get_tracer("name", "1.2", "https://schema", {"b": [1], "a": True}).start_span("one").end()
    provider.get_tracer("bare").start_span("two").end()
    assert [span.scope for span in collected.spans] == [
        Scope("name", "1.2", "https://schema", (("a", True), ("b", (1,)))),
        Scope("bare"),
    ]


def test_children_of_other_scopes_join_the_trace():
    provider, collected = light()
    with provider.get_tracer("one").start_as_current_span("root"):
        provider.get_tracer("two").start_span("child").end()
    (only,) = collected.traces
    assert [span.scope.name for span in only.spans] == ["two", "one"]


@pytest.mark.parametrize("name", ["", None])
def test_missing_name_is_told_and_does_not_stop_recording(name, caplog):
    provider, collected = light()
    provider.get_tracer(name).start_span("span").end()
    assert len(caplog.records) == 1
    assert collected.spans[0].scope == Scope("")


def test_attribute_that_cannot_be_compared_is_left_out_of_the_scope(caplog):
    provider, collected = light()
    tracer = provider.get_tracer("name", attributes={"map": {"a": 1}, "b": 2})
    tracer.start_span("span").end()
    assert collected.spans[0].scope.attributes == (("b", 2),)
    assert len(caplog.records) == 1


def test_module_functions_of_the_api_accept_the_provider():
    provider, collected = light()
    with trace.get_tracer("name", tracer_provider=provider).start_as_current_span("span"):
        trace.get_current_span().set_attribute("a", 1)
    assert collected.spans[0].attributes == {"a": 1}
