"""Where moments are on an axis of percents."""

from __future__ import annotations

import pytest

from mizuchi_site.desk.time_scale import MIN_WIDTH, TimeScale


def test_moments_are_at_their_share_of_the_whole() -> None:
    scale = TimeScale(200.0)
    assert [scale.x(ms) for ms in (0, 50, 200)] == [0, 25, 100]
    assert scale.span(50, 150) == (25, 50)


def test_what_is_short_can_still_be_seen_within_the_axis() -> None:
    scale = TimeScale(10_000.0)
    assert scale.span(5000, 5000) == (50, MIN_WIDTH)
    assert scale.span(10_000, 10_000) == (100 - MIN_WIDTH, MIN_WIDTH)
    assert scale.span(9_999.9, 10_000) == (100 - MIN_WIDTH, MIN_WIDTH)


def test_what_reaches_beyond_is_cut() -> None:
    scale = TimeScale(100.0)
    assert scale.span(-50, 50) == (0, 50)
    assert scale.span(50, 500) == (50, 50)
    assert scale.x(-1) == 0
    assert scale.x(101) == 100


def test_a_trace_without_duration_has_an_axis() -> None:
    scale = TimeScale(0.0)
    assert scale.x(0) == 0
    assert scale.span(0, 0) == (0, 100)
    assert [tick.label for tick in scale.ticks()] == ["0"]


@pytest.mark.parametrize(
    ("duration", "labels"),
    [
        (10, ["0", "2.0 ms", "4.0 ms", "6.0 ms", "8.0 ms"]),
        (2.4, ["0", "500 µs", "1.0 ms", "1.5 ms", "2.0 ms"]),
        (2400, ["0", "500 ms", "1.00 s", "1.50 s", "2.00 s"]),
        (99_000, ["0", "20.0 s", "40.0 s", "1 min", "1 min 20 s"]),
        (7_200_000, ["0", "30 min", "1 h", "1 h 30 min"]),
        (3 * 86_400_000, ["0", "24 h", "48 h"]),
    ],
)
def test_ticks_are_round_and_few(duration: float, labels: list[str]) -> None:
    ticks = TimeScale(duration).ticks()
    assert [tick.label for tick in ticks] == labels
    assert ticks[0].x == 0
    assert all(tick.x <= 95 for tick in ticks)


@pytest.mark.parametrize("exponent", range(-4, 12))
@pytest.mark.parametrize("digit", [1, 1.7, 2, 3.3, 5, 9.99])
def test_every_duration_has_between_two_and_seven(exponent: int, digit: float) -> None:
    assert 2 <= len(TimeScale(digit * 10.0**exponent).ticks()) <= 7
