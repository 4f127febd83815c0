"""Traces that ended are judged some together: none is lost, none twice, none much later."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from tests.tracing_app.exporting.otlp_samples import trace_of
from tests.tracing_app.recording.recorders import Collected
from tracing_app.sampling.gathered import MANY, PERIOD_SECONDS, Gathered


@pytest.fixture
def judged() -> Collected:
    return Collected()


@pytest.fixture
def gathered(judged: Collected) -> Iterator[Gathered]:
    gathered = Gathered(judged)
    yield gathered
    gathered.stop()


def numbers(judged: Collected) -> list[int]:
    return [trace.trace_id for trace in judged.traces]


def test_they_are_judged_together_in_their_order(gathered: Gathered, judged: Collected) -> None:
    for number in range(1, MANY):
        gathered.offer(trace_of(number))
    assert judged.traces == []
    gathered.offer(trace_of(MANY))
    assert numbers(judged) == list(range(1, MANY + 1))


def test_a_big_one_does_not_wait(gathered: Gathered, judged: Collected) -> None:
    gathered.offer(trace_of(1))
    gathered.offer(trace_of(2, spans=100))
    assert numbers(judged) == [1, 2]


def test_few_are_judged_soon(gathered: Gathered, judged: Collected) -> None:
    gathered.start()
    gathered.offer(trace_of(1))
    ends = time.monotonic() + 20 * PERIOD_SECONDS
    while not judged.traces and time.monotonic() < ends:
        time.sleep(PERIOD_SECONDS / 10)
    assert numbers(judged) == [1]


def test_none_is_left_when_it_stops(gathered: Gathered, judged: Collected) -> None:
    gathered.start()
    gathered.offer(trace_of(1))
    gathered.stop()
    assert numbers(judged) == [1]


def test_threads_lose_and_double_none(gathered: Gathered, judged: Collected) -> None:
    def offer(first: int) -> None:
        for number in range(first, first + 500):
            gathered.offer(trace_of(number))

    threads = [threading.Thread(target=offer, args=(1 + 500 * index,)) for index in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    gathered.settle()
    assert sorted(numbers(judged)) == list(range(1, 2001))
