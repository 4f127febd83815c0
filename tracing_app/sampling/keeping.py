"""How many of the traces that a rule matches are kept: all, none, a ratio, so many a second, or a budget.

Each answers with the rate of a kept trace, for how many it stands (0: it is not kept), so that sums of rates
estimate how many there were.
"""

from __future__ import annotations

import re
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from tracing_app.recording.choices import RateCap, Ratio
from tracing_app.recording.data import SpanData

from .fields import Reader, Value, parse_field

Clock = Callable[[], float]

_FORMS = 'always, never, a ratio like 0.1 or 10%, a rate like 50/s, or a budget like "50/s per bucket"'
_RATE = re.compile(r"(?P<number>[0-9]+(?:\.[0-9]+)?)\s*/\s*s(?:\s+per\s+(?P<field>\S+))?")
_RATIO = re.compile(r"(?P<number>[0-9]+(?:\.[0-9]+)?)(?P<percent>%?)")
_ADJUST_SECONDS = 2.0
_EMA_WEIGHT = 0.5
_FORGOTTEN_BELOW = 0.01
_MAX_KEYS = 1000


class Keeping(Protocol):
    """Decides about one trace; thread-safe, fast: it is called on a request's thread."""

    def rate(self, trace_id: int, spans: Sequence[SpanData]) -> float:
        """For how many traces this one stands, 0 when it is not kept."""


def parse_keeping(text: str | float, clock: Clock = time.monotonic) -> Keeping:
    """Raises ValueError that says what may stand there."""
    written = str(text).strip()
    if written == "always":
        return Fixed(1.0)
    if written == "never":
        return Fixed(0.0)
    if match := _RATE.fullmatch(written):
        per_second = float(match["number"])
        if match["field"] is None:
            return PerSecond(per_second, clock)
        return Budget(per_second, parse_field(match["field"]).read, clock)
    if match := _RATIO.fullmatch(written):
        ratio = float(match["number"]) / (100 if match["percent"] else 1)
        if ratio <= 1:
            return Share(ratio)
    raise ValueError(f"{written!r} must be {_FORMS}")


class Fixed:
    """The same rate for each: 1 keeps all, 0 none."""

    def __init__(self, rate: float) -> None:
        self._rate = rate

    def rate(self, trace_id: int, spans: Sequence[SpanData]) -> float:
        return self._rate


class Share:
    """A ratio of all, by trace id: every node and every request of a joined trace decides alike."""

    def __init__(self, ratio: float) -> None:
        self._choice = Ratio(ratio)
        self._rate = 1 / ratio if ratio else 0.0

    def rate(self, trace_id: int, spans: Sequence[SpanData]) -> float:
        return self._rate if self._choice.is_sampled(None, trace_id) else 0.0


class PerSecond:
    """At most so many a second; a kept trace stands for those dropped since the one before it, too."""

    def __init__(self, per_second: float, clock: Clock = time.monotonic) -> None:
        self._cap = RateCap(per_second, clock)
        self._lock = threading.Lock()
        self._waiting = 0.0

    def rate(self, trace_id: int, spans: Sequence[SpanData]) -> float:
        return self.rate_of(1.0)

    def rate_of(self, rate: float) -> float:
        """The same for a trace that stands for ``rate`` traces already."""
        admits = self._cap.admits()
        with self._lock:
            self._waiting += rate
            if not admits:
                return 0.0
            stands_for, self._waiting = self._waiting, 0.0
        return stands_for


class Budget:
    """So many a second in all, shared fairly over the values of a field (max-min): a value that needs less
    than its part leaves the rest to the others. Shares follow a moving average of what each value brings."""

    def __init__(self, per_second: float, read: Reader, clock: Clock) -> None:
        self._per_second = per_second
        self._read = read
        self._clock = clock
        self._lock = threading.Lock()
        self._cap = RateCap(2 * per_second, clock)
        self._counted_from = clock()
        self._counts: dict[Value, int] = {}
        self._averages: dict[Value, float] = {}
        self._choices: dict[Value, Ratio] = {}
        self._dropped: OrderedDict[Value, int] = OrderedDict()

    def rate(self, trace_id: int, spans: Sequence[SpanData]) -> float:
        key = next(iter(self._read(spans)), "")
        with self._lock:
            self._adjust(self._clock())
            if key not in self._counts and len(self._counts) >= _MAX_KEYS:
                key = ""
            self._counts[key] = self._counts.get(key, 0) + 1
            choice = self._choices.get(key)
            keeps = (choice is None or choice.is_sampled(None, trace_id)) and self._cap.admits()
            dropped = self._dropped.pop(key, 0)
            if keeps:
                return 1.0 + dropped
            self._dropped[key] = dropped + 1
            if len(self._dropped) > _MAX_KEYS:
                self._dropped.popitem(last=False)
            return 0.0

    def _adjust(self, now: float) -> None:
        elapsed = now - self._counted_from
        if elapsed < _ADJUST_SECONDS:
            return
        averages = self._averages
        for key in averages.keys() | self._counts.keys():
            seen = self._counts.get(key, 0) / elapsed
            averages[key] = (
                seen if key not in averages else averages[key] + _EMA_WEIGHT * (seen - averages[key])
            )
        self._averages = {key: rate for key, rate in averages.items() if rate > _FORGOTTEN_BELOW}
        self._choices = {
            key: Ratio(min(share / self._averages[key], 1.0))
            for key, share in fair_shares(self._averages, self._per_second).items()
        }
        self._counts, self._counted_from = {}, now


def fair_shares(demands: Mapping[Value, float], budget: float) -> dict[Value, float]:
    """Each demand's part of the budget by max-min fairness: the small are met whole, the rest is split."""
    shares: dict[Value, float] = {}
    left = budget
    for number, (key, demand) in enumerate(sorted(demands.items(), key=lambda item: item[1])):
        shares[key] = min(demand, left / (len(demands) - number))
        left -= shares[key]
    return shares
