"""What all workers counted in the last minutes or hours: together, over time, and by bucket."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from .latency import unpack
from .models import StatisticsSlot
from .recorder import COARSE_SECONDS, FINE_SECONDS
from .totals import SUMS, Totals

LAG_SECONDS: Final = 2.0
"""Workers have written a slot that long after its end, see ``mizuchi_site.workers.heartbeat``."""


@dataclass(frozen=True, slots=True)
class Window:
    """The last ``seconds``, in steps; read from slots of ``slot_seconds``."""

    name: str
    seconds: int
    step_seconds: int
    slot_seconds: int


WINDOWS: Final[Mapping[str, Window]] = {
    window.name: window
    for window in (
        Window("15m", 15 * 60, FINE_SECONDS, FINE_SECONDS),
        Window("1h", 60 * 60, 60, FINE_SECONDS),
        Window("24h", 24 * 60 * 60, 900, COARSE_SECONDS),
    )
}


@dataclass(frozen=True, slots=True)
class Point:
    """What was counted in one step from ``began_at`` (Unix time) on."""

    began_at: int
    totals: Totals


@dataclass(frozen=True, slots=True)
class Statistics:
    """``points`` are the steps that are over, oldest first; ``totals`` and ``buckets`` hold the step that
    still runs, too: what was counted in the ``seconds`` up to ``ends_at`` (Unix time)."""

    window: Window
    ends_at: float
    seconds: float
    totals: Totals
    points: Sequence[Point]
    buckets: Mapping[str, Totals]


def read_statistics(window: Window, now: float) -> Statistics:
    """Add up what the workers wrote. One query. Raises DatabaseError."""
    step = window.step_seconds
    over_at = int((now - LAG_SECONDS) // step * step)
    begins_at = over_at - window.seconds
    points = [Point(at, Totals()) for at in range(begins_at, over_at, step)]
    totals, buckets = Totals(), defaultdict[str, Totals](Totals)
    for (number, bucket), counted in _cells(window, begins_at).items():
        totals.merge(counted)
        buckets[bucket].merge(counted)
        if number < len(points):
            points[number].totals.merge(counted)
    return Statistics(window, now, now - begins_at, totals, points, dict(buckets))


def _cells(window: Window, begins_at: int) -> Mapping[tuple[int, str], Totals]:
    """By the number of the step, and bucket."""
    slots = StatisticsSlot.objects.filter(
        seconds=window.slot_seconds, began_at__gte=datetime.fromtimestamp(begins_at, UTC)
    )
    cells = defaultdict[tuple[int, str], Totals](Totals)
    for began_at, bucket, packed, *sums in slots.values_list("began_at", "bucket", "latencies", *SUMS):
        number = (int(began_at.timestamp()) - begins_at) // window.step_seconds
        cell = cells[number, bucket]
        cell.merge_sums(sums)
        unpack(packed, into=cell.latencies)
    return cells
