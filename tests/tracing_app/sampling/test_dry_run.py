"""A dry run tells what the live sampler then does."""

from __future__ import annotations

import random
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.sdk.resources import Resource
from opentelemetry.trace import StatusCode, set_span_in_context

from tests.tracing_app.sampling.traces import Sink, trace
from tracing_app.exporting.otlp_wire import SpanEncoder
from tracing_app.recording.choices import Ratio
from tracing_app.recording.provider import LightTracerProvider
from tracing_app.recording.samplers import HeadSampler
from tracing_app.sampling.dry_run import PastTrace, dry_run
from tracing_app.sampling.keeping import Clock
from tracing_app.sampling.rules import RuleText, parse_rules
from tracing_app.sampling.tail import TailPolicy, TailSampler
from tracing_app.store.replay import past_traces
from tracing_app.store.rows import stored_traces

SECOND = 10**9
BUCKETS, OPERATIONS = ("a", "b"), ("PutObject", "UploadPart", "HeadBucket")

requests = st.tuples(
    st.sampled_from(BUCKETS),
    st.sampled_from(OPERATIONS),
    st.integers(1, 3 * SECOND),
    st.booleans(),
    st.integers(0, 1 << 24),
    st.integers(0, 2**128 - 1),
)
rules = st.lists(
    st.tuples(
        st.sampled_from(
            ["", "bucket = a", "operation != HeadBucket", "duration > 1s", "bytes >= 1MiB and bucket = b"]
        ),
        st.sampled_from(["always", "never", "0.5", "2/s", "3/s per bucket"]),
    ),
    max_size=4,
)


@settings(max_examples=60, deadline=None)
@given(st.lists(requests, min_size=1, max_size=40), rules, st.booleans(), st.sampled_from([None, SECOND]))
def test_it_agrees_with_the_live_sampler(
    made: list[tuple[str, str, int, bool, int, int]],
    rule_parts: list[tuple[str, str]],
    errors: bool,
    slow_ns: int | None,
) -> None:
    texts = [RuleText(f"r{number}", keep, when) for number, (when, keep) in enumerate(rule_parts)]
    head = Ratio(0.3)

    def policy(clock: Clock) -> TailPolicy:
        return TailPolicy(errors, slow_ns, parse_rules(texts, clock), 1 / 0.3)

    now = [0.0]
    live_sink, store = Sink(), Sink()
    live = TailSampler(policy(lambda: now[0]), live_sink)
    ids, number = iter([each[5] or 1 for each in made]), count(1)
    tracer = LightTracerProvider(
        HeadSampler(head, tail=True), store, new_trace_id=lambda: next(ids)
    ).get_tracer("tests")
    for bucket, operation, duration, is_error, size, _ in made:
        end = next(number) * 4 * SECOND
        root = tracer.start_span(
            "root",
            start_time=end - duration,
            attributes={"aws.s3.bucket": bucket, "rpc.method": f"S3/{operation}"},
        )
        work = tracer.start_span(
            "work", set_span_in_context(root), attributes={"mizuchi.upload.bytes": size}, start_time=end - 1
        )
        work.end(end)
        if is_error:
            root.set_status(StatusCode.ERROR)
        root.end(end)

    payload = SpanEncoder(Resource({})).encode(store.traces)
    past = list(past_traces(stored_traces(payload)))
    for each in store.traces:
        now[0] = each.spans[-1].end_ns / 1e9
        live.offer(each)
    foreseen = dry_run(past, policy, head)

    stats = live.stats()
    assert {
        name: share.kept_traces for name, share in foreseen.by_reason.items() if share.kept_traces
    } == dict(stats.traces_kept)
    assert foreseen.total.kept_spans == sum(stats.spans_kept.values())
    assert foreseen.total.traces == len(made)


def test_a_trace_that_stands_for_many_is_judged_as_many() -> None:
    """What a ratio of 1 % kept has small trace ids: with the same ids a ratio of 50 % would keep all."""
    chance = random.Random(3)
    past = [
        PastTrace(trace({"aws.s3.bucket": "a"}, trace_id=chance.getrandbits(128) >> 8), 100.0, 200)
        for _ in range(300)
    ]

    run = dry_run(
        past, lambda clock: TailPolicy(rules=parse_rules([RuleText("half", "0.5")], clock)), Ratio(1.0)
    )

    assert run.total.traces == pytest.approx(30_000)
    assert run.total.ratio == pytest.approx(0.5, rel=0.1)
    assert run.by_bucket["a"].kept_bytes == pytest.approx(30_000 * 0.5 * 200, rel=0.1)
    assert run.looked_at == 300


def test_nothing_is_nothing() -> None:
    run = dry_run([], lambda clock: TailPolicy(), Ratio(1.0))

    assert (run.looked_at, run.total.ratio, run.spans_per_second, run.bytes_per_day) == (0, 0.0, 0.0, 0.0)
