"""Bars on the axis of a waterfall."""

from __future__ import annotations

from itertools import pairwise

import pytest

from mizuchi_site.desk.lane_bars import COARSE_BARS, Bar, bars_of, coarse_bars, joined_bars
from mizuchi_site.desk.time_scale import TimeScale
from tracing_app.store.wait_stretches import Stretch, Who

MS = 1e6


def stretch(start: float, end: float, who: Who) -> Stretch:
    return Stretch(start * MS, end * MS, who)


def test_stretches_are_bars_where_they_can_be_seen() -> None:
    stretches = [stretch(0, 25, "client"), stretch(25, 25.001, "gateway"), stretch(25.001, 100, "backend")]
    assert list(bars_of(stretches, TimeScale(100))) == [Bar(0, 25, "client"), Bar(25.001, 74.999, "backend")]


def test_bars_that_touch_are_one() -> None:
    spans = [(0, 0.3), (0.3, 1), (1, 0.1), (5, 2), (6, 3), (20, 0.3)]
    assert list(joined_bars(spans)) == [Bar(0, 1.3), Bar(5, 4), Bar(20, 0.3)]
    assert list(joined_bars([])) == []


def test_a_band_has_the_one_who_was_waited_for_longest() -> None:
    scale = TimeScale(4000)
    stretches = [stretch(0, 2000, "client"), stretch(2000, 2003, "policy"), stretch(2003, 4000, "backend")]
    assert coarse_bars(stretches, scale) == [Bar(0, 50, "client"), Bar(50, 50, "backend")]
    assert coarse_bars([], TimeScale(0)) == []


@pytest.mark.parametrize("count", [1, 7, 399, 5000])
def test_a_band_has_no_gaps_and_an_end(count: int) -> None:
    turns: tuple[Who, ...] = ("client", "backend", "gateway")
    stretches = [stretch(number, number + 1, turns[number % 3]) for number in range(count)]
    bars = coarse_bars(stretches, TimeScale(count))
    assert len(bars) <= COARSE_BARS
    assert bars[0].x == 0
    assert all(one.x + one.width == pytest.approx(other.x, abs=0.01) for one, other in pairwise(bars))
    assert bars[-1].x + bars[-1].width == pytest.approx(100, abs=0.01)
