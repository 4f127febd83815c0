"""The spans of a local root come together; late ones come alone; threads lose and double nothing."""

from __future__ import annotations

import contextvars
import gc
import sys
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator
from functools import partial

import pytest
from opentelemetry.trace import NonRecordingSpan, Span, set_span_in_context

from tests.tracing_app.recording.recorders import REMOTE, REMOTE_CONTEXT, Collected, light
from tracing_app.recording.choices import Always
from tracing_app.recording.provider import LightTracerProvider
from tracing_app.recording.samplers import HeadSampler


def names(collected: Collected) -> list[tuple[list[str], bool]]:
    return [([span.name for span in trace.spans], trace.is_late) for trace in collected.traces]


@pytest.fixture
def hasty_threads() -> Iterator[None]:
    """The interpreter changes threads as often as it can."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


def run_together(*functions: Callable[[], object]) -> None:
    gate = threading.Barrier(len(functions))

    def run(function: Callable[[], object]) -> None:
        gate.wait()
        function()

    threads = [threading.Thread(target=run, args=(function,)) for function in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def end_all(spans: Iterable[Span]) -> None:
    for span in spans:
        span.end()


def test_trace_is_offered_when_its_local_root_ends_the_root_last():
    provider, collected = light()
    tracer = provider.get_tracer("mizuchi")
    with tracer.start_as_current_span("root"):
        with tracer.start_as_current_span("a"):
            tracer.start_span("b").end()
        tracer.start_span("c").end()
        assert collected.traces == []
    assert names(collected) == [(["b", "a", "c", "root"], False)]
    assert collected.traces[0].trace_id == collected.spans[0].context.trace_id


def test_remote_parent_makes_a_local_root_each_time():
    provider, collected = light()
    tracer = provider.get_tracer("mizuchi")
    tracer.start_span("one", context=REMOTE_CONTEXT).end()
    tracer.start_span("two", context=REMOTE_CONTEXT).end()
    assert names(collected) == [(["one"], False), (["two"], False)]
    assert {trace.trace_id for trace in collected.traces} == {REMOTE.trace_id}


def test_bare_context_of_a_local_span_makes_a_local_root_of_the_same_trace():
    provider, collected = light()
    tracer = provider.get_tracer("mizuchi")
    with tracer.start_as_current_span("root") as root:
        bare = set_span_in_context(NonRecordingSpan(root.get_span_context()))
        tracer.start_span("handed over", context=bare).end()
    assert names(collected) == [(["handed over"], False), (["root"], False)]
    assert len({trace.trace_id for trace in collected.traces}) == 1


def test_span_that_outlives_its_local_root_comes_alone():
    provider, collected = light()
    tracer = provider.get_tracer("mizuchi")
    root = tracer.start_span("root")
    below = set_span_in_context(root)
    first, second = tracer.start_span("first", context=below), tracer.start_span("second", context=below)
    root.end()
    second.end()
    first.end()
    tracer.start_span("started late", context=below).end()
    assert names(collected) == [
        (["root"], False),
        (["second"], True),
        (["first"], True),
        (["started late"], True),
    ]
    assert len({trace.trace_id for trace in collected.traces}) == 1


def test_span_that_never_ends_is_never_seen():
    provider, collected = light()
    tracer = provider.get_tracer("mizuchi")
    with tracer.start_as_current_span("root"):
        tracer.start_span("forgotten")
    assert names(collected) == [(["root"], False)]


def test_trace_whose_root_never_ends_is_freed():
    provider, collected = light()
    tracer = provider.get_tracer("mizuchi")
    root = tracer.start_span("root")
    child = tracer.start_span("child", context=set_span_in_context(root))
    child.end()
    freed = weakref.ref(child)
    del root, child
    gc.collect()
    assert freed() is None
    assert collected.traces == []


def test_ended_trace_is_freed_without_the_garbage_collector():
    """Which runs between tests only: see ``conftest``."""
    assert not gc.isenabled()
    provider, collected = light()
    tracer = provider.get_tracer("mizuchi")
    with tracer.start_as_current_span("root") as root:
        freed = weakref.ref(root)
        tracer.start_span("child").end()
    del root
    collected.traces.clear()
    assert freed() is None


def test_eight_threads_below_one_root(hasty_threads):
    provider, collected = light()
    tracer = provider.get_tracer("mizuchi")

    def work(number: int) -> None:
        for turn in range(25):
            with tracer.start_as_current_span(f"{number}.{turn}") as span:
                span.set_attribute("turn", turn)
                tracer.start_span(f"{number}.{turn} inner").end()

    with tracer.start_as_current_span("root") as root:
        run_together(*(partial(contextvars.copy_context().run, work, number) for number in range(8)))
    (only,) = collected.traces
    by_id = {span.context.span_id: span for span in only.spans}
    assert len(by_id) == len(only.spans) == 8 * 25 * 2 + 1
    for span in only.spans[:-1]:
        parent = by_id[span.parent_span_id]
        expected = span.name.removesuffix(" inner") if span.name.endswith("inner") else "root"
        assert parent.name == expected
    assert by_id[root.get_span_context().span_id] is only.spans[-1]


def test_each_span_is_offered_once_when_threads_end_root_and_children_together(hasty_threads):
    """Offered with the root or late, but neither lost nor twice, however the ends interleave."""
    for _ in range(150):
        provider, collected = light()
        tracer = provider.get_tracer("mizuchi")
        root = tracer.start_span("root")
        below = set_span_in_context(root)
        spans = [root, *(tracer.start_span(f"child {n}", context=below) for n in range(12))]
        run_together(*(partial(end_all, spans[start::4]) for start in range(4)))
        assert sorted(span.name for span in collected.spans) == sorted(span.name for span in spans)
        assert sum(not trace.is_late for trace in collected.traces) == 1


def test_one_of_many_threads_ends_a_span(hasty_threads, caplog):
    for _ in range(100):
        provider, collected = light()
        span = provider.get_tracer("mizuchi").start_span("root")
        run_together(*[span.end] * 4)
        assert len(collected.traces) == 1
    assert len(caplog.records) == 300


def test_writers_never_disturb_who_reads_an_offered_span(hasty_threads):
    failures: list[BaseException] = []
    offered = threading.Event()

    class Reader:
        def offer(self, trace) -> None:
            offered.set()
            try:
                for _ in range(200):
                    for _key, _value in trace.spans[-1].attributes.items():
                        pass
            except RuntimeError as error:
                failures.append(error)

    tracer = LightTracerProvider(HeadSampler(Always(), tail=False), Reader()).get_tracer("mizuchi")
    for _ in range(20):
        span = tracer.start_span("root", attributes={str(number): number for number in range(60)})

        def write(span=span):
            number = 0
            while span.is_recording():
                span.set_attribute(f"more {number % 60}", number)
                span.add_event("event")
                number += 1

        run_together(write, write, write, span.end)
    assert offered.is_set()
    assert failures == []


def test_finalizer_may_end_a_span_of_the_trace_that_is_just_ending():
    provider, collected = light()
    tracer = provider.get_tracer("mizuchi")

    class EndsWhenRead(dict):
        def items(self):
            inner.end()
            return super().items()

    with tracer.start_as_current_span("root") as root:
        inner = tracer.start_span("inner")
        root.set_attributes(EndsWhenRead(a=1))
    assert names(collected) == [(["inner", "root"], False)]
