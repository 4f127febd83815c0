"""Adds up what requests noted."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from typing import Final

from .families import Family, Labels, Note
from .readings import Distribution, KeptTraces, Reading, Value

MAX_NOTES: Final = 65_536
"""What is noted beyond it before it is added up displaces the oldest."""


class NotedMetrics:
    """The sums of all notes so far. ``notes`` is for any thread, ``collect`` for one at a time.

    Of ``kept_traces`` some become examples.
    """

    def __init__(self, kept_traces: KeptTraces, wall_clock: Callable[[], float] = time.time) -> None:
        self.notes: deque[Note] = deque(maxlen=MAX_NOTES)
        self._kept_traces = kept_traces
        self._wall_clock = wall_clock
        self._series: dict[tuple[Family, Labels], Value] = {}

    def collect(self) -> Iterator[Reading]:
        """All series as they are now."""
        self._add_up(self._wall_clock())
        for (family, labels), value in self._series.items():
            yield family, labels, value

    def _add_up(self, at: float) -> None:
        series, kept = self._series, self._kept_traces()
        for _ in range(len(self.notes)):
            family, labels, value, trace_id = self.notes.popleft()
            key = (family, labels)
            known = series.get(key)
            if family.kind == "counter":
                series[key] = value if known is None else known + value  # type: ignore[operator]
                continue
            if known is None:
                known = series[key] = Distribution(len(family.bounds) + 1)
            assert isinstance(known, Distribution)
            bucket = known.observe(family.bounds, value)
            if trace_id in kept:
                known.exemplify(bucket, value, trace_id, at)
