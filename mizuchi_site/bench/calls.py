"""CPU time of single calls in this process, several sides in turns."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from .report import Figure
from .rounds import Sample, take_turns

_TURN_SECONDS = 0.02

Call = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Many:
    """A call that does the same thing ``count`` times: what is told is the cost of one."""

    call: Call
    count: int


def time_calls(
    calls: Mapping[str, Call | Many],
    *,
    rounds: int,
    on_turn: Callable[[], None] = lambda: None,
    has_latency: bool = False,
) -> dict[str, dict[str, Figure]]:
    """Microseconds of each call, as rows of a table. A turn repeats its call for about 20 ms.

    ``has_latency``: also how long it took, for calls that wait for somebody.
    """
    many = {name: each if isinstance(each, Many) else Many(each, 1) for name, each in calls.items()}
    sides = {name: partial(_turn, each, _repeats(each.call)) for name, each in many.items()}
    turns = take_turns(sides, rounds=rounds, on_turn=on_turn)
    columns = {"CPU": "cpu_us"} | ({"latency": "latency_us"} if has_latency else {})
    return {
        name: {column: Figure(turns.spread(name, what), "us") for column, what in columns.items()}
        for name in calls
    }


def _repeats(call: Call) -> int:
    began, count = time.process_time(), 0
    while time.process_time() - began < _TURN_SECONDS:
        call()
        count += 1
    return count


def _turn(many: Many, repeats: int) -> Sample:
    call = many.call
    began, cpu_began = time.perf_counter(), time.process_time()
    for _ in range(repeats):
        call()
    used, took = time.process_time() - cpu_began, time.perf_counter() - began
    each_us = 1e6 / repeats / many.count
    return {"cpu_us": used * each_us, "latency_us": took * each_us}
