"""From moments of a trace to places on an axis: percents of its width, as SVG attributes take them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from .durations import duration_text

MIN_WIDTH: Final = 0.3
"""So that even the shortest can be seen: two of 600 pixels."""

_DIGITS = 3
_TICKS = 5
_LAST_TICK = 95.0
_STEPS_MS: Final = (60e3, 120e3, 300e3, 600e3, 1800e3, 3600e3, 7200e3, 6 * 3600e3, 12 * 3600e3, 24 * 3600e3)


@dataclass(frozen=True, slots=True)
class Tick:
    """A place on the axis with its time since the start."""

    x: float
    label: str


@dataclass(frozen=True, slots=True)
class TimeScale:
    """An axis from 0 to ``duration_ms``."""

    duration_ms: float

    def x(self, ms: float) -> float:
        """The place of a moment, within 0 and 100."""
        if self.duration_ms <= 0:
            return 0.0
        return round(min(max(ms / self.duration_ms, 0.0), 1.0) * 100, _DIGITS)

    def span(self, start_ms: float, end_ms: float) -> tuple[float, float]:
        """Place and width of what lasts from one moment to another: no narrower than ``MIN_WIDTH``."""
        if self.duration_ms <= 0:
            return 0.0, 100.0
        start, end = self.x(start_ms), self.x(end_ms)
        width = round(max(end - start, MIN_WIDTH), _DIGITS)
        return round(min(start, 100 - width), _DIGITS), width

    def ticks(self) -> list[Tick]:
        """Round times, few enough to be read; none so late that its label would be cut off."""
        step = _step(self.duration_ms)
        if not step:
            return [Tick(0.0, duration_text(0))]
        count = math.floor(self.duration_ms * _LAST_TICK / 100 / step + 1e-9)
        return [Tick(self.x(number * step), duration_text(number * step)) for number in range(count + 1)]


def _step(duration_ms: float) -> float:
    """The largest round step that makes no more ticks than wanted; 0 for no duration."""
    if duration_ms <= 0:
        return 0.0
    least = duration_ms / _TICKS
    if least >= _STEPS_MS[0] / 2:
        days = math.ceil(least / _STEPS_MS[-1]) * _STEPS_MS[-1]
        return next((step for step in _STEPS_MS if step >= least), days)
    power = 10.0 ** math.floor(math.log10(least))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= least * (1 - 1e-9))
