"""Trace ids that are random each, and in a row spread evenly over what ratios are decided by."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable

import pytest

from tracing_app.recording.choices import Ratio
from tracing_app.recording.trace_ids import BLOCK, EvenTraceIds


def sampled(ratio: float, count: int, new_trace_id: Callable[[], int]) -> int:
    choice = Ratio(ratio)
    return sum(choice.is_sampled(None, new_trace_id()) for _ in range(count))


@pytest.mark.parametrize("ratio", [0.001, 0.01, 0.05, 0.1, 0.5, 0.999, 1.0, 0.0])
def test_of_each_block_a_ratio_gets_its_very_share(ratio: float) -> None:
    new_trace_id = EvenTraceIds(random.Random(1))
    counts = {sampled(ratio, BLOCK, new_trace_id) for _ in range(10)}
    assert counts == {round(ratio * BLOCK)}


def test_a_ratio_between_comes_out_as_near_as_blocks_allow() -> None:
    new_trace_id = EvenTraceIds(random.Random(2))
    counts = {sampled(0.0125, BLOCK, new_trace_id) for _ in range(50)}
    assert counts == {12, 13}


def test_every_part_of_an_id_is_random() -> None:
    """Uniform over 128 bits, the 56 that W3C Trace Context Level 2 wants random among them; none twice."""
    new_trace_id = EvenTraceIds(random.Random(3))
    ids = [new_trace_id() for _ in range(20 * BLOCK)]
    assert len(set(ids)) == len(ids)
    for bit in range(128):
        ones = sum(number >> bit & 1 for number in ids)
        assert abs(ones - len(ids) / 2) < 5 * (len(ids) / 4) ** 0.5, bit


def test_regular_traffic_gets_no_regular_choice() -> None:
    """Every fourth request is of a kind of its own: of that kind, too, the share is what the ratio says."""
    new_trace_id, choice = EvenTraceIds(random.Random(4)), Ratio(0.1)
    kept = [0, 0, 0, 0]
    for number in range(100 * BLOCK):
        kept[number % 4] += choice.is_sampled(None, new_trace_id())
    assert sum(kept) == 0.1 * 100 * BLOCK
    expected = 0.1 * 100 * BLOCK / 4
    assert all(abs(count - expected) < 5 * expected**0.5 for count in kept), kept


def test_threads_that_draw_at_once_get_different_ids() -> None:
    new_trace_id = EvenTraceIds()
    drawn: list[list[int]] = [[] for _ in range(4)]

    def draw(into: list[int]) -> None:
        into.extend(new_trace_id() for _ in range(5 * BLOCK))

    threads = [threading.Thread(target=draw, args=(each,)) for each in drawn]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    ids = {number for each in drawn for number in each}
    assert len(ids) == 20 * BLOCK


def test_the_id_0_which_is_none_never_comes() -> None:
    class Zero(random.Random):
        def getrandbits(self, k: int) -> int:
            return 0

    new_trace_id = EvenTraceIds(Zero())
    assert all(new_trace_id() for _ in range(BLOCK))
