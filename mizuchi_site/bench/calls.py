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
    calls: Mapping[str, Call | Many], *, rounds: int, on_turn: Callable[[], None] = lambda: None
) -> dict[str, dict[str, Figure]]:
    """Microseconds of each call, as rows of a table. A turn repeats its call for about 20 ms."""
    many = {name: each if isinstance(each, Many) else Many(each, 1) for name, each in calls.items()}
    sides = {name: partial(_turn, each, _repeats(each.call)) for name, each in many.items()}
    turns = take_turns(sides, rounds=rounds, on_turn=on_turn)
    return {name: {"CPU": Figure(turns.spread(name, "cpu_us"), "us")} for name in calls}


def _repeats(call: Call) -> int:
    began, count = time.process_time(), 0
    while time.process_time() - began < _TURN_SECONDS:
        call()
        count += 1
    return count


def _turn(many: Many, repeats: int) -> Sample:
    began, call = time.process_time(), many.call
    for _ in range(repeats):
        call()
    return {"cpu_us": (time.process_time() - began) / repeats / many.count * 1e6}
