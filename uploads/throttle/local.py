"""Limits counted in this process."""

from __future__ import annotations

import threading
import time
from collections import Counter as Multiset
from collections.abc import Callable, Sequence
from typing import Final

from .demand import Demand, Refusal

MAX_CLOCKS: Final = 10_000
"""With more, those that say nothing any more are forgotten."""


class LocalCounter:
    """``clock`` never steps back, in seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._clocks_us: dict[str, int] = {}
        self._under_way: Multiset[str] = Multiset()

    def take(self, demands: Sequence[Demand]) -> Refusal | LocalLease | None:
        now_us = int(self._clock() * 1e6)
        with self._lock:
            for demand in demands:
                refusal = self._refusal(demand, now_us)
                if refusal is not None:
                    return refusal
            for demand in demands:
                if demand.interval_us:
                    self._clocks_us[demand.name] = self._moved(demand, now_us)
            if len(self._clocks_us) > MAX_CLOCKS:
                self._clocks_us = {n: at for n, at in self._clocks_us.items() if at > now_us}
            names = [demand.name for demand in demands if demand.concurrent]
            self._under_way.update(names)
        return LocalLease(self, names) if names else None

    def check(self) -> str:
        return "this process"

    def _refusal(self, demand: Demand, now_us: int) -> Refusal | None:
        if demand.interval_us:
            ahead_us = self._moved(demand, now_us) - now_us - demand.tolerance_us
            if ahead_us > 0:
                return Refusal("rate", demand.reason, ahead_us)
        if demand.concurrent and self._under_way[demand.name] >= demand.concurrent:
            return Refusal("concurrency", demand.reason)
        return None

    def _moved(self, demand: Demand, now_us: int) -> int:
        return max(self._clocks_us.get(demand.name, 0), now_us) + demand.interval_us

    def give_back(self, names: Sequence[str]) -> None:
        with self._lock:
            self._under_way.subtract(names)
            for name in names:
                if not self._under_way[name]:
                    del self._under_way[name]


class LocalLease:
    """A place in this process, which ends with it."""

    __slots__ = ("_counter", "_names")

    def __init__(self, counter: LocalCounter, names: Sequence[str]) -> None:
        self._counter = counter
        self._names = names

    def release(self) -> None:
        self._counter.give_back(self._names)
