"""Small programs against the OpenTelemetry API, each to be run on the SDK and on the recorder."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import enum
import threading
from collections.abc import Callable
from http import HTTPStatus
from types import MappingProxyType

from opentelemetry import context as context_api
from opentelemetry import trace
from opentelemetry.trace import (
    INVALID_SPAN,
    INVALID_SPAN_CONTEXT,
    Link,
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    Tracer,
    TraceState,
    set_span_in_context,
    use_span,
)

from tests.tracing_app.recording.recorders import REMOTE, REMOTE_CONTEXT

Program = Callable[[Tracer], None]
PROGRAMS: dict[str, Program] = {}


def program(function: Program) -> Program:
    PROGRAMS[function.__name__] = function
    return function


class Fault(Exception):
    pass


class Colour(enum.StrEnum):
    RED = "red"


OTHER = SpanContext(0x77, 0x88, is_remote=False, trace_flags=TraceFlags(0))


def attributes_of(value: object) -> Program:
    """A span with this value, at the start, set later, in an event and in a link."""

    def run(tracer: Tracer) -> None:
        with tracer.start_as_current_span(
            "valued", attributes={"at.start": value}, links=[Link(OTHER, {"in.link": value})]
        ) as span:
            span.set_attribute("set.later", value)
            span.set_attributes({"set.together": value, "and": 1})
            span.add_event("happened", {"in.event": value})
            span.add_link(OTHER, {"in.link.later": value})

    return run


VALUES: dict[str, object] = {
    "text": "bucket",
    "empty text": "",
    "text beyond ASCII": "Süßwasser 鯉 \N{FISH}",
    "true": True,
    "false": False,
    "zero": 0,
    "beyond 64 bits": 2**70,
    "negative": -5,
    "float": 3.25,
    "infinity": float("inf"),
    "bytes": b"\x00\xff",
    "enumeration of int": HTTPStatus.OK,
    "enumeration of str": Colour.RED,
    "list": ["a", "b"],
    "empty list": [],
    "tuple of int": (1, 2, 3),
    "range": range(3),
    "bools": [True, False],
    "floats": [1.5, 2.5],
    "mixed": ["a", 1, True, 2.5],
    "with none inside": ["a", None],
    "nested": [["a"], ["b", ["c"]]],
    "mapping": {"inner": "value", "deep": {"n": 1}},
    "read-only mapping": MappingProxyType({"inner": [1]}),
    "mappings in a list": [{"a": 1}, {"b": [2]}],
}
for _name, _value in VALUES.items():
    PROGRAMS[f"value: {_name}"] = attributes_of(_value)


@program
def nothing_but_a_span(tracer: Tracer) -> None:
    tracer.start_span("bare").end()


@program
def three_generations(tracer: Tracer) -> None:
    with tracer.start_as_current_span("root"), tracer.start_as_current_span("child"):
        with tracer.start_as_current_span("grandchild"):
            pass
        with tracer.start_as_current_span("its sibling"):
            pass


@program
def every_kind(tracer: Tracer) -> None:
    for kind in SpanKind:
        tracer.start_span(kind.name, kind=kind).end()


@program
def start_and_end_given(tracer: Tracer) -> None:
    tracer.start_span("timed", start_time=5).end(end_time=17)
    tracer.start_span("at the epoch", start_time=0).end(end_time=0)


@program
def explicit_parent_not_current(tracer: Tracer) -> None:
    other = tracer.start_span("other root")
    with tracer.start_as_current_span("current root"):
        tracer.start_span("child of other", context=set_span_in_context(other)).end()
        with tracer.start_as_current_span("also of other", context=set_span_in_context(other)):
            tracer.start_span("child of also").end()
        tracer.start_span("child of current").end()
    other.end()


@program
def explicit_empty_context(tracer: Tracer) -> None:
    with tracer.start_as_current_span("current"):
        tracer.start_span("root of its own", context=context_api.Context()).end()


@program
def remote_parent(tracer: Tracer) -> None:
    with (
        tracer.start_as_current_span("server", context=REMOTE_CONTEXT, kind=SpanKind.SERVER),
        tracer.start_as_current_span("inside"),
    ):
        pass


@program
def remote_parent_with_random_id(tracer: Tracer) -> None:
    flags = TraceFlags(TraceFlags.SAMPLED | TraceFlags.RANDOM_TRACE_ID)
    parent = SpanContext(REMOTE.trace_id, REMOTE.span_id, True, flags)
    with tracer.start_as_current_span("server", context=set_span_in_context(NonRecordingSpan(parent))):
        tracer.start_span("inside").end()


@program
def remote_parent_not_sampled(tracer: Tracer) -> None:
    parent = SpanContext(REMOTE.trace_id, REMOTE.span_id, True, TraceFlags(0), REMOTE.trace_state)
    with tracer.start_as_current_span("server", context=set_span_in_context(NonRecordingSpan(parent))):
        tracer.start_span("inside").end()


@program
def invalid_parent(tracer: Tracer) -> None:
    tracer.start_span("of invalid span", context=set_span_in_context(INVALID_SPAN)).end()
    not_a_span = set_span_in_context(INVALID_SPAN_CONTEXT)  # type: ignore[arg-type]
    tracer.start_span("of no span", context=not_a_span).end()
    half = SpanContext(0, 5, is_remote=True)
    tracer.start_span("of half an id", context=set_span_in_context(NonRecordingSpan(half))).end()


@program
def local_parent_as_bare_context(tracer: Tracer) -> None:
    with tracer.start_as_current_span("root") as root:
        bare = set_span_in_context(NonRecordingSpan(root.get_span_context()))
        tracer.start_span("handed over", context=bare).end()


@program
def use_span_of_the_api(tracer: Tracer) -> None:
    root = tracer.start_span("root")
    with use_span(root, end_on_exit=True):
        tracer.start_span("child").end()


@program
def use_span_with_error(tracer: Tracer) -> None:
    root = tracer.start_span("root")
    try:
        with use_span(root, end_on_exit=True):
            raise Fault("disk full")
    except Fault:
        pass


@program
def attributes_overwritten(tracer: Tracer) -> None:
    with tracer.start_as_current_span("root", attributes={"a": 1, "b": 2}) as span:
        span.set_attributes({"b": 3, "c": 4})
        span.set_attributes({})
        span.set_attribute("d", 5)


@program
def attributes_changed_by_the_caller_later(tracer: Tracer) -> None:
    given: dict[str, object] = {"list": [1], "map": {"a": [1]}}
    with tracer.start_as_current_span("root", attributes=given) as span:
        span.add_event("event", given)
        given["list"].append(2)
        given["map"]["a"].append(2)
        given["new"] = 1


@program
def events(tracer: Tracer) -> None:
    with tracer.start_as_current_span("root") as span:
        span.add_event("plain")
        span.add_event("with attributes", {"name": "koi", "flags": [True]})
        span.add_event("at its time", {"n": 1}, 4242)
        span.add_event("at the epoch", timestamp=0)
        span.add_event("empty attributes", {})


@program
def links(tracer: Tracer) -> None:
    invalid_with_state = SpanContext(0, 0, False, trace_state=TraceState([("a", "b")]))
    given = [
        Link(OTHER, {"why": "batch"}),
        Link(REMOTE),
        Link(INVALID_SPAN_CONTEXT),
        Link(INVALID_SPAN_CONTEXT, {"but": "told"}),
        Link(invalid_with_state),
        None,
    ]
    with tracer.start_as_current_span("root", links=given) as span:
        span.add_link(OTHER, {"later": True})
        span.add_link(REMOTE)
        span.add_link(INVALID_SPAN_CONTEXT)
        span.add_link(INVALID_SPAN_CONTEXT, {"but": "told"})
        span.add_link(invalid_with_state)
        span.add_link(None)


@program
def renamed(tracer: Tracer) -> None:
    with tracer.start_as_current_span("PUT") as span:
        span.update_name("PUT s3.PutObject")


@program
def status_rules(tracer: Tracer) -> None:
    calls: dict[str, list[tuple[object, ...]]] = {
        "unset": [(StatusCode.UNSET,)],
        "ok": [(StatusCode.OK,)],
        "error": [(StatusCode.ERROR,)],
        "error with text": [(StatusCode.ERROR, "no space")],
        "status object": [(Status(StatusCode.ERROR, "no space"),)],
        "ok is final": [(StatusCode.OK,), (StatusCode.ERROR, "late")],
        "error then ok": [(StatusCode.ERROR, "early"), (StatusCode.OK,)],
        "error then unset": [(StatusCode.ERROR, "early"), (StatusCode.UNSET,), (Status(StatusCode.UNSET),)],
        "last error": [(StatusCode.ERROR, "one"), (Status(StatusCode.ERROR, "two"),)],
        "text goes with the last": [(StatusCode.ERROR, "one"), (StatusCode.ERROR,)],
        "empty text": [(StatusCode.ERROR, "")],
    }
    for name, arguments in calls.items():
        with tracer.start_as_current_span(name) as span:
            for each in arguments:
                span.set_status(*each)


@program
def error_leaves_current_span(tracer: Tracer) -> None:
    try:
        with tracer.start_as_current_span("root"), tracer.start_as_current_span("child"):
            raise Fault("broken")
    except Fault:
        pass


@program
def error_leaves_span_block(tracer: Tracer) -> None:
    try:
        with tracer.start_span("root"):
            raise ValueError("broken")
    except ValueError:
        pass


@program
def error_neither_recorded_nor_status(tracer: Tracer) -> None:
    for name, options in {
        "no record": {"record_exception": False},
        "no status": {"set_status_on_exception": False},
        "neither": {"record_exception": False, "set_status_on_exception": False},
    }.items():
        for start in (tracer.start_as_current_span, tracer.start_span):
            try:
                with start(f"{name} {start.__name__}", **options):
                    raise Fault("broken")
            except Fault:
                pass


@program
def error_after_ok(tracer: Tracer) -> None:
    try:
        with tracer.start_as_current_span("root") as span:
            span.set_status(StatusCode.OK)
            raise Fault("ignored by the status")
    except Fault:
        pass


@program
def interruption_is_no_error(tracer: Tracer) -> None:
    for start in (tracer.start_as_current_span, tracer.start_span):
        try:
            with start(start.__name__):
                raise KeyboardInterrupt
        except KeyboardInterrupt:
            pass


@program
def generator_closed(tracer: Tracer) -> None:
    def steps():
        with tracer.start_as_current_span("generator"):
            yield 1

    running = steps()
    next(running)
    running.close()


@program
def exceptions_recorded_by_hand(tracer: Tracer) -> None:
    with tracer.start_as_current_span("root") as span:
        try:
            raise Fault("first")
        except Fault as fault:
            span.record_exception(fault)
            span.record_exception(fault, {"exception.message": "replaced", "extra": 1})
            span.record_exception(fault, timestamp=77, escaped=True)
        span.record_exception(KeyError("never raised"))


@program
def ended_by_hand_inside(tracer: Tracer) -> None:
    with tracer.start_as_current_span("root", end_on_exit=False) as root:
        tracer.start_span("child").end()
    tracer.start_span("no parent any more").end()
    root.set_attribute("still", "open")
    root.end()


@program
def writes_after_the_end(tracer: Tracer) -> None:
    span = tracer.start_span("root", attributes={"a": 1})
    span.end()
    span.end()
    span.set_attribute("b", 2)
    span.set_attributes({"c": 3})
    span.add_event("late")
    span.add_link(OTHER)
    span.update_name("late")
    span.set_status(StatusCode.ERROR)
    span.record_exception(Fault("late"))


@program
def child_outlives_its_parent(tracer: Tracer) -> None:
    root = tracer.start_span("root")
    child = tracer.start_span("child", context=set_span_in_context(root))
    root.end()
    grandchild = tracer.start_span("grandchild", context=set_span_in_context(child))
    child.end()
    grandchild.end()


@program
def decorated_functions(tracer: Tracer) -> None:
    @tracer.start_as_current_span("decorated", attributes={"a": 1})
    def work(fails: bool) -> int:
        trace.get_current_span().set_attribute("fails", fails)
        if fails:
            raise Fault("in function")
        return 7

    assert work(False) == 7
    assert work.__name__ == "work"
    with contextlib.suppress(Fault):
        work(True)


@program
def decorated_coroutine(tracer: Tracer) -> None:
    @tracer.start_as_current_span("decorated")
    async def work() -> int:
        await asyncio.sleep(0)
        tracer.start_span("within").end()
        return 7

    async def main() -> None:
        with tracer.start_as_current_span("main"):
            assert await work() == 7
            await asyncio.gather(work(), work())

    asyncio.run(main())


@program
def another_thread_with_the_context(tracer: Tracer) -> None:
    with tracer.start_as_current_span("root"):
        copied = contextvars.copy_context()
        thread = threading.Thread(
            target=copied.run, args=(lambda: tracer.start_span("in thread").end(),), daemon=True
        )
        thread.start()
        thread.join()
        bare = threading.Thread(target=lambda: tracer.start_span("without context").end(), daemon=True)
        bare.start()
        bare.join()


@program
def span_ended_in_another_thread(tracer: Tracer) -> None:
    with tracer.start_as_current_span("root"):
        child = tracer.start_span("child")
        thread = threading.Thread(target=child.end, daemon=True)
        thread.start()
        thread.join()
