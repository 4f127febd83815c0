"""Bars on the axis of a waterfall."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final, Literal

from tracing_app.store.wait_stretches import Stretch, Who

from .time_scale import TimeScale

COARSE_BARS: Final = 400
_VISIBLE = 0.02


@dataclass(frozen=True, slots=True)
class Bar:
    """``x`` and ``width`` in percent of the axis. ``who`` was waited for in it, "": nobody in particular."""

    x: float
    width: float
    who: Who | Literal[""] = ""


def bars_of(stretches: Iterable[Stretch], scale: TimeScale) -> Iterator[Bar]:
    """A bar for each stretch that can be seen."""
    for each in stretches:
        x, until = scale.x(each.start_ns / 1e6), scale.x(each.end_ns / 1e6)
        if until - x >= _VISIBLE:
            yield Bar(x, round(until - x, 3), each.who)


def joined_bars(spans: Iterable[tuple[float, float]]) -> Iterator[Bar]:
    """Of places and widths in ascending order; those that touch are one."""
    start, end = 0.0, -1.0
    for x, width in spans:
        if x > end:
            if end > start:
                yield Bar(start, round(end - start, 3))
            start = x
        end = max(end, x + width)
    if end > start:
        yield Bar(start, round(end - start, 3))


def coarse_bars(stretches: Sequence[Stretch], scale: TimeScale) -> list[Bar]:
    """The whole axis in at most ``COARSE_BARS``, each of who was waited for longest in its time."""
    if scale.duration_ms <= 0:
        return []
    bins = COARSE_BARS / (scale.duration_ms * 1e6)
    weights: list[dict[Who, float]] = [defaultdict(float) for _ in range(COARSE_BARS)]
    for each in stretches:
        start, end = each.start_ns * bins, each.end_ns * bins
        for number in range(int(start), min(int(end) + 1, COARSE_BARS)):
            weights[number][each.who] += min(end, number + 1) - max(start, number)
    bars: list[Bar] = []
    width = 100 / COARSE_BARS
    first = 0
    for who, run in groupby(map(_longest, weights)):
        length = len(list(run))
        bars.append(Bar(round(first * width, 3), round(length * width, 3), who))
        first += length
    return bars


def _longest(weight: dict[Who, float]) -> Who:
    return max(weight, key=weight.__getitem__, default="gateway")
