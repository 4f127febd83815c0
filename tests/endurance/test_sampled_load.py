"""What ``make sampling`` shows with more requests and longer uploads."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest

from tests.endurance.collecting import Arrived
from tests.endurance.long_uploads import measure_long_uploads
from tests.endurance.sampling import Run, measure
from tests.endurance.sampling_checks import Sampled

pytestmark = pytest.mark.slow

Traces = dict[str, Arrived]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return measure(tmp_path_factory.mktemp("sampling"), requests=1500, ratio=0.1, connections=8)


def test_a_mixed_load_is_sampled_as_promised(run: Run) -> None:
    assert [str(check) for check in run.checks() if not check.is_so] == []


def ids_of(sampled: Sampled, reason: str) -> list[str]:
    return [number for number, trace in sampled.traces.items() if trace.mark("reason") == reason]


def a_trace_lost(reason: str) -> Callable[[Sampled], Traces]:
    return lambda sampled: without(sampled.traces, ids_of(sampled, reason)[0])


def a_span_lost(reason: str) -> Callable[[Sampled], Traces]:
    def traces(sampled: Sampled) -> Traces:
        number = ids_of(sampled, reason)[0]
        return {**sampled.traces, number: Arrived(sampled.traces[number].spans[1:])}

    return traces


def a_span_twice(sampled: Sampled) -> Traces:
    number, trace = next(iter(sampled.traces.items()))
    return {**sampled.traces, number: Arrived([*trace.spans, trace.spans[0]])}


def another_id(sampled: Sampled) -> Traces:
    number = ids_of(sampled, "head")[0]
    return {**without(sampled.traces, number), "f" * 32: sampled.traces[number]}


def hardly_any(sampled: Sampled) -> Traces:
    return without(sampled.traces, *ids_of(sampled, "head")[5:])


def without(traces: Mapping[str, Arrived], *numbers: str) -> Traces:
    return {number: trace for number, trace in traces.items() if number not in numbers}


@pytest.mark.parametrize(
    ("traces", "name"),
    [
        pytest.param(a_trace_lost("error"), "every error trace is kept, whole", id="error lost"),
        pytest.param(a_span_lost("error"), "every error trace is kept, whole", id="span of an error lost"),
        pytest.param(a_trace_lost("slow"), "every slow trace is kept, whole", id="slow one lost"),
        pytest.param(a_span_lost("slow"), "every slow trace is kept, whole", id="span of a slow one lost"),
        pytest.param(
            a_trace_lost("head"), "of the others those are kept that should be, whole", id="other lost"
        ),
        pytest.param(
            a_span_lost("head"),
            "of the others those are kept that should be, whole",
            id="span of another lost",
        ),
        pytest.param(a_span_twice, "nothing came twice, and nothing else", id="span twice"),
        pytest.param(another_id, "nothing came twice, and nothing else", id="strange trace"),
        pytest.param(hardly_any, "their share is 0.1", id="few others"),
        pytest.param(hardly_any, "the sum of rates is the number of requests", id="few to count"),
    ],
)
def test_what_is_not_as_promised_is_found(run: Run, traces: Callable[[Sampled], Traces], name: str) -> None:
    sampled = replace(run.sampled, traces=traces(run.sampled))
    assert name in {check.name for check in sampled.checks() if not check.is_so}


def test_uploads_that_fail_at_their_end_are_kept(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    checks = measure_long_uploads(tmp_path_factory.mktemp("long"), seconds=5)
    assert [str(check) for check in checks if not check.is_so] == []
