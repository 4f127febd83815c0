"""The numbers of a process and, through the board, those of all workers beside it."""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, Protocol

from .board import Board
from .families import Counter, Gauge, declared_families
from .readings import Reading, Readings, unpacked

STALE_SECONDS: Final = 15.0
"""How it is at the moment a worker must have said that lately: one that died says nothing."""

WORKERS = Gauge("mizuchi_workers", "Worker processes at work.", otlp="mizuchi.workers")
REPLACEMENTS = Counter(
    "mizuchi_worker_replacements",
    "Workers that took the place of one that died.",
    otlp="mizuchi.worker.replacements",
)


class Source(Protocol):
    """Something that knows numbers of this process."""

    def __call__(self) -> Iterable[Reading]:
        """All of them: counts since the process began, and how it is now. One thread at a time asks."""


@dataclass(frozen=True, slots=True)
class Place:
    """The board, and which worker this is; the first is number 1."""

    board: Board
    number: int


@dataclass(frozen=True, slots=True)
class Total:
    """The numbers of all workers together. ``began_at``: Unix time since when they count."""

    readings: Readings
    began_at: float


class Meter:
    """Collects from ``sources``. A worker that took the place of another goes on from what that one had left
    on the board: what was counted never gets less. Without a ``place`` there is this process only.
    ``instance_id`` stays what it is with all that take one place. Thread-safe."""

    def __init__(
        self,
        sources: Sequence[Source],
        place: Place | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self._sources = tuple(sources)
        self._place = place
        self._clock = clock
        self._lock = threading.Lock()
        left = self._left_by(place.number) if place else None
        self._began_at: float = left["began_at"] if left else wall_clock()
        self._before = list(_counted(left)) if left else []
        self._is_replacement = left is not None
        self.instance_id: str = left["instance_id"] if left else str(uuid.uuid4())

    @property
    def speaks_for_node(self) -> bool:
        """Of all workers one: the first."""
        return self._place is None or self._place.number == 1

    def publish(self) -> None:
        """Leave the numbers of this process on the board. Raises ValueError, see ``Board.write``."""
        if self._place is not None:
            with self._lock:
                self._publish(self._place, self._collected())

    def total(self) -> Total:
        """The numbers of all workers: of this one as they are now, of others as they left them last."""
        with self._lock:
            own = self._collected()
            if self._place is not None:
                with suppress(ValueError):  # the publisher tells of it
                    self._publish(self._place, own)
        began_at = self._began_at
        for number in range(1, self._place.board.slots + 1) if self._place else ():
            left = self._left_by(number) if number != self._place.number else None  # type: ignore[union-attr]
            if left is not None:
                is_fresh = self._clock() - left["at"] < STALE_SECONDS
                own.add(unpacked(left["readings"], declared_families()) if is_fresh else _counted(left))
                began_at = min(began_at, left["began_at"])
        return Total(own, began_at)

    def _collected(self) -> Readings:
        readings = Readings(self._before)
        for source in self._sources:
            readings.add(source())
        readings.add([(WORKERS, (), 1.0), (REPLACEMENTS, (), float(self._is_replacement))])
        return readings

    def _publish(self, place: Place, readings: Readings) -> None:
        left = {
            "at": self._clock(),
            "began_at": self._began_at,
            "instance_id": self.instance_id,
            "readings": readings.packed(),
        }
        place.board.write(place.number, json.dumps(left, separators=(",", ":")).encode())

    def _left_by(self, number: int) -> dict[str, Any] | None:
        assert self._place is not None
        text = self._place.board.read(number)
        left: dict[str, Any] | None = None if text is None else json.loads(text)
        return left


def _counted(left: dict[str, Any]) -> Iterable[Reading]:
    """What is true of a worker that is gone, too."""
    return Readings(unpacked(left["readings"], declared_families())).all(without_gauges=True)
