"""Something else happens between any two lines: another thread, a signal handler, a finalizer.

The interpreter's tracing hook runs the interference once before the n-th line of the recorder's code, for
every n, so that each interleaving of two calls is seen instead of hoped for.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from types import FrameType

import pytest
from opentelemetry.trace import SpanContext, set_span_in_context

from tests.tracing_app.recording.recorders import Collected, light
from tracing_app.compiled import IS_COMPILED
from tracing_app.recording.choices import RateCap

pytestmark = pytest.mark.skipif(
    IS_COMPILED, reason="compiled code has no lines to come between: test_compiled runs these uncompiled"
)

OTHER = SpanContext(0x77, 0x88, is_remote=True)


def interrupted(action: Callable[[], object], interference: Callable[[], object], line: int) -> bool:
    """Run ``action``, and ``interference`` before its ``line``-th line; whether it has so many."""
    passed = 0

    def trace(frame: FrameType, event: str, _argument: object):
        nonlocal passed
        if "tracing_app/recording/" not in frame.f_code.co_filename:
            return None
        if event == "line":
            passed += 1
            if passed == line:
                sys.settrace(None)
                interference()
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        action()
    finally:
        sys.settrace(before)
    return passed >= line


def every_line(start: Callable[[], tuple[Callable[[], object], Callable[[], object]]]) -> Iterator[None]:
    """After each yield one more interleaving of the two fresh calls has run to its end."""
    line = 1
    while interrupted(*start(), line):
        yield
        line += 1
    assert line > 3, "the action has no lines to come between"


def names(collected: Collected) -> list[str]:
    return sorted(span.name for span in collected.spans)


def test_two_ends_of_one_span_offer_it_once():
    collected = Collected()

    def start():
        nonlocal collected
        provider, collected = light()
        root = provider.get_tracer("mizuchi").start_span("root")
        return root.end, root.end

    for _ in every_line(start):
        assert names(collected) == ["root"]


def test_end_of_a_child_within_the_end_of_its_root():
    collected = Collected()

    def start():
        nonlocal collected
        provider, collected = light()
        tracer = provider.get_tracer("mizuchi")
        root = tracer.start_span("root")
        first = tracer.start_span("first", context=set_span_in_context(root))
        second = tracer.start_span("second", context=set_span_in_context(root))
        first.end()
        return root.end, second.end

    for _ in every_line(start):
        assert names(collected) == ["first", "root", "second"]
        assert collected.traces[0].spans[-1].name == "root" or collected.traces[0].is_late


def test_end_of_a_root_within_the_end_of_its_child():
    collected = Collected()

    def start():
        nonlocal collected
        provider, collected = light()
        tracer = provider.get_tracer("mizuchi")
        root = tracer.start_span("root")
        child = tracer.start_span("child", context=set_span_in_context(root))
        return child.end, root.end

    for _ in every_line(start):
        assert names(collected) == ["child", "root"]


def test_end_within_a_write_leaves_the_offered_span_as_it_was():
    collected = Collected()
    copies: list[object] = []

    def content() -> object:
        (span,) = collected.spans
        return dict(span.attributes), tuple(span.events), tuple(span.links)

    def starting(write):
        def start():
            nonlocal collected
            provider, collected = light()
            span = provider.get_tracer("mizuchi").start_span("root", attributes={"a": 1})

            def end() -> None:
                span.end()
                copies.append(content())

            return (lambda: write(span)), end

        return start

    for write in (
        lambda span: span.set_attribute("b", "text"),
        lambda span: span.set_attributes({"b": "text", "c": 1}),
        lambda span: span.add_event("event", {"a": 1}),
        lambda span: span.add_link(OTHER, {"a": 1}),
    ):
        for _ in every_line(starting(write)):
            assert content() == copies[-1]


def test_writes_within_writes_are_all_kept():
    collected = Collected()
    span = None

    def starting(write):
        def start():
            nonlocal collected, span
            provider, collected = light()
            span = provider.get_tracer("mizuchi").start_span("root")
            return (lambda: write(span, "one")), (lambda: write(span, "two"))

        return start

    for write in (
        lambda span, name: span.set_attribute(name, 1),
        lambda span, name: span.add_event(name),
        lambda span, name: span.add_link(OTHER, {"name": name}),
    ):
        for _ in every_line(starting(write)):
            span.end()
            (found,) = collected.spans
            assert len(found.attributes) + len(found.events) + len(found.links) == 2


def test_one_token_is_given_to_one_thread():
    answers: list[bool] = []

    def start():
        cap = RateCap(1, clock=lambda: 0.0)
        answers.clear()
        other = threading.Thread(target=lambda: answers.append(cap.admits()))

        def ask_elsewhere() -> None:
            other.start()
            other.join(timeout=0.02)  # it may have to wait for this thread's turn to end

        def ask() -> None:
            answers.append(cap.admits())
            if other.ident is not None:
                other.join()

        return ask, ask_elsewhere

    for _ in every_line(start):
        assert sorted(answers) == [False, True]
