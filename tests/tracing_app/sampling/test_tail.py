"""What becomes of a trace when its local root has ended."""

from __future__ import annotations

import logging
import random
from typing import Any

import pytest
from opentelemetry.trace import StatusCode, set_span_in_context

from tests.tracing_app.sampling.traces import Sink, trace
from tracing_app.recording.choices import Always, Never, Ratio
from tracing_app.recording.provider import LightTracerProvider
from tracing_app.recording.samplers import HeadSampler
from tracing_app.recording.trace_ids import EvenTraceIds
from tracing_app.sampling.keeping import PerSecond
from tracing_app.sampling.rules import RuleText, parse_rules
from tracing_app.sampling.tail import RATE, REASON, RULE, TailPolicy, TailSampler

SECOND = 10**9
ERROR = StatusCode.ERROR
RULES = parse_rules(
    [
        RuleText("no probes", "never", "operation = HeadBucket"),
        RuleText("big", "always", "bytes >= 1MiB"),
        RuleText("parts", "0.25", "operation = UploadPart"),
    ]
)
PUT, PART, PROBE = ({"rpc.method": f"S3/{name}"} for name in ("PutObject", "UploadPart", "HeadBucket"))


@pytest.mark.parametrize(
    ("policy", "made", "marks"),
    [
        (TailPolicy(), {"attributes": PUT, "is_error": True}, {REASON: "error", RATE: 1.0}),
        (TailPolicy(errors=False), {"attributes": PUT, "is_error": True}, None),
        (TailPolicy(), {"attributes": PUT}, None),
        (TailPolicy(head_rate=4.0), {"attributes": PUT, "head": Always()}, {REASON: "head", RATE: 4.0}),
        (TailPolicy(slow_ns=SECOND), {"attributes": PUT, "milliseconds": 1000}, {REASON: "slow", RATE: 1.0}),
        (TailPolicy(slow_ns=SECOND), {"attributes": PUT, "milliseconds": 999.9}, None),
        (TailPolicy(slow_ns=0), {"attributes": PUT, "milliseconds": 0}, {REASON: "slow", RATE: 1.0}),
        (TailPolicy(), {"attributes": PUT, "milliseconds": 1e7}, None),
        (TailPolicy(rules=RULES), {"attributes": PROBE, "head": Always()}, None),
        (TailPolicy(rules=RULES), {"attributes": PROBE, "is_error": True}, {REASON: "error", RATE: 1.0}),
        (
            TailPolicy(rules=RULES, slow_ns=SECOND),
            {"attributes": PROBE, "milliseconds": 1000},
            {REASON: "slow", RATE: 1.0},
        ),
        (
            TailPolicy(rules=RULES),
            {"attributes": PART, "children": [{"mizuchi.upload.bytes": 1 << 20}]},
            {REASON: "rule", RULE: "big", RATE: 1.0},
        ),
        (
            TailPolicy(rules=RULES),
            {"attributes": PART, "trace_id": 1},
            {REASON: "rule", RULE: "parts", RATE: 4.0},
        ),
        (TailPolicy(rules=RULES), {"attributes": PART, "trace_id": 2**64 - 1, "head": Always()}, None),
        (TailPolicy(rules=RULES), {"attributes": PUT, "head": Always()}, {REASON: "head", RATE: 1.0}),
    ],
    ids=[str(number) for number in range(15)],
)
def test_a_verdict(policy: TailPolicy, made: dict[str, Any], marks: dict[str, Any] | None) -> None:
    sink = Sink()

    TailSampler(policy, sink).offer(trace(**made))

    assert len(sink.traces) == (marks is not None)
    for kept in sink.traces:
        attributes = kept.spans[-1].attributes
        assert {name: attributes[name] for name in (REASON, RULE, RATE) if name in attributes} == marks
        assert attributes["rpc.method"] == made["attributes"]["rpc.method"]


def test_what_is_dropped_is_counted_by_who_dropped_it() -> None:
    sampler = TailSampler(TailPolicy(rules=RULES), Sink())

    for made in (PROBE, PROBE, PUT):
        sampler.offer(trace(made, children=[{}]))
    sampler.offer(trace(PUT, is_error=True))

    stats = sampler.stats()
    assert stats.traces_dropped == {"rule:no probes": 2, "head": 1}
    assert stats.spans_dropped == {"rule:no probes": 4, "head": 2}
    assert stats.traces_kept == {"error": 1}
    assert stats.spans_kept == {"error": 1}


def test_a_late_span_follows_its_trace() -> None:
    sink = Sink()
    sampler = TailSampler(TailPolicy(), sink)
    tracer = LightTracerProvider(HeadSampler(Never(), tail=True), sampler).get_tracer("tests")

    for is_error in (True, False):
        root = tracer.start_span("root")
        late = tracer.start_span("late", set_span_in_context(root))
        if is_error:
            root.record_exception(ValueError())
            root.set_status(ERROR)
        root.end()
        late.end()

    assert [[span.name for span in kept.spans] for kept in sink.traces] == [["root"], ["late"]]
    assert sampler.stats().traces_dropped == {"head": 1, "late": 1}


def test_the_latest_that_were_kept_are_known() -> None:
    sampler = TailSampler(TailPolicy(), Sink())
    for number in range(1, 5):
        sampler.offer(trace(is_error=number < 4, trace_id=number))
    assert sampler.latest_kept(2) == [3, 2]
    assert sampler.latest_kept(10) == [3, 2, 1]


def test_an_upload_that_lasts_is_waited_for() -> None:
    """No fixed wait: a trace of five minutes that fails at the end is kept whole."""
    sink = Sink()
    tracer = LightTracerProvider(HeadSampler(Never(), tail=True), TailSampler(TailPolicy(), sink)).get_tracer(
        "tests"
    )
    began = 10**18
    root = tracer.start_span("root", start_time=began)
    context = set_span_in_context(root)
    for number in range(20):
        tracer.start_span("early", context, start_time=began + number).end(began + number + 1)
    root.set_status(ERROR)
    root.end(began + 300 * SECOND)

    (kept,) = sink.traces
    assert len(kept.spans) == 21


def test_a_cap_on_all_but_errors() -> None:
    now = [0.0]
    sink = Sink()
    sampler = TailSampler(TailPolicy(head_rate=2.0, cap=PerSecond(10, lambda: now[0])), sink)

    for number in range(1000):
        now[0] += 0.01
        sampler.offer(trace(PUT, head=Always(), is_error=number % 100 == 0))

    kept = sampler.stats().traces_kept
    assert kept["error"] == 10
    assert 100 <= kept["head"] <= 110
    rates = [each.spans[-1].attributes for each in sink.traces]
    assert sum(each[RATE] for each in rates if each[REASON] == "head") == pytest.approx(2 * 990, abs=25)


def test_a_rule_that_fails_keeps_and_never_raises(caplog: pytest.LogCaptureFixture) -> None:
    sink = Sink()
    (rule,) = parse_rules([RuleText("bad", "always")])

    class Broken:
        name, keeping = rule.name, rule.keeping

        @staticmethod
        def matches(spans: object) -> bool:
            raise ZeroDivisionError

    with caplog.at_level(logging.ERROR):
        TailSampler(TailPolicy(rules=(Broken(),)), sink).offer(trace(PUT))  # type: ignore[arg-type]

    assert len(sink.traces) == 1
    assert sink.traces[0].spans[-1].attributes[REASON] == "failed"


def test_rules_see_what_a_span_left_for_later() -> None:
    sink = Sink()
    rules = parse_rules([RuleText("keys", "always", "root.aws.s3.key = shown")])
    made = trace(PUT)
    made.spans[-1].later = lambda: {"aws.s3.key": "shown"}

    TailSampler(TailPolicy(rules=rules), sink).offer(made)

    (kept,) = sink.traces
    assert kept.spans[-1].varied["aws.s3.key"] == "shown"
    assert kept.spans[-1].attributes[RULE] == "keys"


def test_a_mixed_load() -> None:
    """1 % errors, 1 % slow, ratio 0.01: all that matters is kept, and counts can be re-weighted."""
    chance = random.Random(5)
    sink = Sink()
    ratio = 0.01
    sampler = TailSampler(TailPolicy(slow_ns=2 * SECOND, head_rate=1 / ratio), sink)
    tracer = LightTracerProvider(
        HeadSampler(Ratio(ratio), tail=True), sampler, new_trace_id=EvenTraceIds(chance)
    ).get_tracer("tests")
    expected = {"error": 0, "slow": 0}
    for _ in range(100_000):
        kind = chance.random()
        root = tracer.start_span("root", start_time=1, attributes=PUT)
        tracer.start_span("child", set_span_in_context(root), start_time=1).end(2)
        if kind < 0.01:
            root.set_status(ERROR)
            expected["error"] += 1
        elif kind < 0.02:
            expected["slow"] += 1
        root.end(3 * SECOND if 0.01 <= kind < 0.02 else SECOND)

    kept = sampler.stats().traces_kept
    healthy = 100_000 - sum(expected.values())
    assert {name: kept[name] for name in expected} == expected
    assert abs(kept["head"] - healthy * ratio) < 0.02 * healthy * ratio
    assert all(len(each.spans) == 2 for each in sink.traces)
    counted = sum(each.spans[-1].attributes[RATE] for each in sink.traces)  # type: ignore[misc]
    assert abs(counted - 100_000) < 0.02 * 100_000
