"""Head sampling: who is sampled, who is recorded, and what a remote parent may force."""

from __future__ import annotations

import threading

import pytest
from opentelemetry.sdk.trace.sampling import Decision, TraceIdRatioBased
from opentelemetry.trace import Link, NonRecordingSpan, SpanContext, SpanKind, TraceFlags, set_span_in_context

from tests.tracing_app.recording.recorders import REMOTE, light
from tracing_app.recording.choices import Always, Never, ParentBased, RateCap, Ratio, RatioCap
from tracing_app.recording.samplers import HeadSampler

SAMPLED, RECORDED, DROPPED = Decision.RECORD_AND_SAMPLE, Decision.RECORD_ONLY, Decision.DROP


def parent(*, is_sampled: bool, is_remote: bool) -> SpanContext:
    return SpanContext(0x99, 0x88, is_remote, TraceFlags(is_sampled), REMOTE.trace_state)


def asked(sampler: HeadSampler, context: SpanContext | None = None, trace_id: int = 0x99):
    above = set_span_in_context(NonRecordingSpan(context)) if context else None
    links = [Link(REMOTE)]
    return sampler.should_sample(above, trace_id, "PUT", SpanKind.SERVER, {"caller": "gave"}, links)


PARENTS = {
    "no parent": None,
    "remote sampled": parent(is_sampled=True, is_remote=True),
    "remote not sampled": parent(is_sampled=False, is_remote=True),
    "local sampled": parent(is_sampled=True, is_remote=False),
    "local not sampled": parent(is_sampled=False, is_remote=False),
}
CHOICES = {
    "always": (Always(), [True] * 5),
    "never": (Never(), [False] * 5),
    "ratio of all": (Ratio(1.0), [True] * 5),
    "ratio of none": (Ratio(0.0), [False] * 5),
    "parent based, always": (ParentBased(Always()), [True, True, False, True, False]),
    "parent based, never": (ParentBased(Never()), [False, True, False, True, False]),
    "remote capped": (ParentBased(Always(), RatioCap(0.0)), [True, False, False, True, False]),
}


@pytest.mark.parametrize("tail", [True, False], ids=["tail", "head only"])
@pytest.mark.parametrize(("choice", "expected"), CHOICES.values(), ids=CHOICES)
def test_decision_for_each_parent(choice, expected, tail):
    sampler = HeadSampler(choice, tail=tail)
    unsampled = RECORDED if tail else DROPPED
    decisions = [asked(sampler, context).decision for context in PARENTS.values()]
    assert decisions == [SAMPLED if is_sampled else unsampled for is_sampled in expected]


@pytest.mark.parametrize("tail", [True, False], ids=["tail", "head only"])
@pytest.mark.parametrize("choice", [each for each, _ in CHOICES.values()], ids=CHOICES)
@pytest.mark.parametrize("context", PARENTS.values(), ids=PARENTS)
def test_attributes_and_tracestate_are_kept(choice, context, tail):
    result = asked(HeadSampler(choice, tail=tail), context)
    assert result.attributes == {"caller": "gave"}
    assert result.trace_state == (REMOTE.trace_state if context else None)


@pytest.mark.parametrize("ratio", [0.0, 0.001, 0.25, 0.5, 1.0])
@pytest.mark.parametrize("trace_id", [1, 2**62, 2**63, 2**64 - 1, (7 << 64) + 2**61, 2**128 - 1])
def test_ratio_keeps_the_traces_that_the_sdk_keeps(ratio, trace_id):
    theirs = TraceIdRatioBased(ratio).should_sample(None, trace_id, "PUT").decision.is_sampled()
    assert Ratio(ratio).is_sampled(None, trace_id) is theirs


@pytest.mark.parametrize("ratio", [-0.1, 1.1])
def test_ratio_out_of_range_is_refused(ratio):
    with pytest.raises(ValueError, match="range"):
        Ratio(ratio)


def test_ratio_cap_does_not_look_at_the_trace_id():
    draws = iter([0.05, 0.95, 0.0999, 0.1])
    choice = ParentBased(Always(), RatioCap(0.1, draw=lambda: next(draws)))
    remote = PARENTS["remote sampled"]
    assert [choice.is_sampled(remote, 0) for _ in range(4)] == [True, False, True, False]


def test_rate_cap_refills_with_time():
    now = [100.0]
    cap = RateCap(2, clock=lambda: now[0])
    assert [cap.admits() for _ in range(3)] == [True, True, False]
    now[0] += 0.5
    assert [cap.admits() for _ in range(2)] == [True, False]
    now[0] += 3600
    assert [cap.admits() for _ in range(3)] == [True, True, False]


def test_rate_cap_outlives_a_clock_that_goes_back():
    now = [100.0]
    cap = RateCap(1, clock=lambda: now[0])
    assert cap.admits()
    now[0] = 50.0
    assert not cap.admits()
    now[0] = 101.0
    assert cap.admits()


@pytest.mark.parametrize(
    ("per_second", "seconds", "expected"),
    [(0, 100, 0), (0.5, 10, 6), (0.1, 9, 1)],
    ids=["none", "half", "tenth"],
)
def test_rate_below_one_a_second(per_second, seconds, expected):
    now = [0.0]
    cap = RateCap(per_second, clock=lambda: now[0])
    admitted = 0
    for _ in range(seconds * 4 + 1):
        admitted += cap.admits()
        now[0] += 0.25
    assert admitted == expected


def test_rate_cap_is_one_for_all_threads():
    cap = RateCap(100, clock=lambda: 0.0)
    admitted: list[bool] = []

    def ask() -> None:
        for _ in range(50):
            admitted.append(cap.admits())

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(admitted) == 100


def test_with_a_tail_what_is_not_sampled_is_recorded_without_the_flag():
    provider, collected = light(HeadSampler(Never(), tail=True))
    tracer = provider.get_tracer("mizuchi")
    with tracer.start_as_current_span("root", attributes={"a": 1}), tracer.start_as_current_span("child"):
        pass
    (only,) = collected.traces
    assert [span.name for span in only.spans] == ["child", "root"]
    assert [span.context.trace_flags.sampled for span in only.spans] == [False, False]
    assert only.spans[1].attributes == {"a": 1}


def test_remote_parent_is_capped_once_for_its_trace_not_for_each_span():
    cap = RateCap(1, clock=lambda: 0.0)
    provider, collected = light(HeadSampler(ParentBased(Never(), cap), tail=False))
    tracer = provider.get_tracer("mizuchi")
    context = set_span_in_context(NonRecordingSpan(PARENTS["remote sampled"]))
    for name in ("first", "second"):
        with tracer.start_as_current_span(name, context=context):
            tracer.start_span(f"{name} child").end()
    assert [span.name for span in collected.spans] == ["first child", "first"]


def test_description_tells_the_whole_configuration():
    sampler = HeadSampler(ParentBased(Ratio(0.25), RateCap(10)), tail=True)
    assert sampler.get_description() == (
        "HeadSampler{ParentBased{root:Ratio{0.25},remote:per_second:10},tail:true}"
    )
    assert HeadSampler(ParentBased(Always(), RatioCap(0.5)), tail=False).get_description() == (
        "HeadSampler{ParentBased{root:Always,remote:ratio:0.5},tail:false}"
    )
    assert HeadSampler(ParentBased(Never()), tail=False).get_description() == (
        "HeadSampler{ParentBased{root:Never,remote:unlimited},tail:false}"
    )
