"""Counts the requests of a process: on their path, in memory, under a lock that is held for a microsecond."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from uploads.s3.operations import Operation

from .totals import Totals

FINE_SECONDS: Final = 15
COARSE_SECONDS: Final = 300
NO_BUCKET: Final = "-"
"""Stands for all buckets that are not configured: their names may be anything."""
MAX_SLOTS: Final = 10_000

Waits = tuple[float, float]
"""Seconds that the flow of a body waited for the client, and for the storage."""


@dataclass(frozen=True, slots=True)
class SlotRow:
    """All that was counted so far of a bucket in the ``seconds`` from ``began_at`` (Unix time) on."""

    seconds: int
    began_at: int
    bucket: str
    totals: Totals


class _Slot:
    """``written`` is how many of its requests the database knows."""

    __slots__ = ("totals", "written")

    def __init__(self) -> None:
        self.totals = Totals()
        self.written = 0


class RequestRecorder:
    """Thread-safe. Requests are counted in slots of ``FINE_SECONDS``; of those the slots of
    ``COARSE_SECONDS`` are made when they are to be written.

    What a database that is away leaves unwritten waits here; beyond ``max_slots`` the oldest is lost.
    """

    def __init__(self, clock: Callable[[], float] = time.time, *, max_slots: int = MAX_SLOTS) -> None:
        self._clock = clock
        self._max_slots = max_slots
        self._lock = threading.Lock()
        self._slots: dict[tuple[int, str], _Slot] = {}
        self._newest = 0
        self._in_flight: Counter[str] = Counter()

    # For the threads of requests.

    def enter(self, bucket: str) -> None:
        """A request for the bucket is under way."""
        with self._lock:
            self._in_flight[bucket] += 1

    def leave(self, bucket: str) -> None:
        """It is over."""
        with self._lock:
            self._in_flight[bucket] -= 1

    def count(
        self,
        bucket: str,
        operation: Operation | None,
        status: int,
        seconds: float,
        bytes_received: int,
        waits: Waits | None,
    ) -> None:
        """Count a request that was answered; ``waits`` are None when no body flowed to a storage."""
        with self._lock:
            totals = self._slot(bucket).totals
            totals.add(operation, status, seconds, bytes_received)
            if waits is not None:
                totals.add_transfer(seconds, *waits)

    # For whoever tells the database, and others.

    def in_flight(self) -> Mapping[str, int]:
        """How many requests are under way, by bucket."""
        with self._lock:
            return {bucket: count for bucket, count in self._in_flight.items() if count}

    @property
    def slots_held(self) -> int:
        return len(self._slots)

    def unwritten(self) -> list[SlotRow]:
        """Every slot that changed since it was written, oldest first, whole: as it is now."""
        with self._lock:
            changed = [key for key, slot in self._slots.items() if slot.totals.requests != slot.written]
            fine = [SlotRow(FINE_SECONDS, *key, _sum(self._slots[key].totals)) for key in changed]
            wanted = {(_coarse(began_at), bucket): Totals() for began_at, bucket in changed}
            for (began_at, bucket), slot in self._slots.items():
                if (key := (_coarse(began_at), bucket)) in wanted:
                    wanted[key].merge(slot.totals)
        return [*fine, *(SlotRow(COARSE_SECONDS, *key, totals) for key, totals in wanted.items())]

    def written(self, rows: Iterable[SlotRow]) -> None:
        """The database has these: what is over and has not changed meanwhile need not be kept."""
        with self._lock:
            for row in rows:
                slot = self._slots.get((row.began_at, row.bucket))
                if row.seconds == FINE_SECONDS and slot is not None:
                    slot.written = row.totals.requests
            current = _coarse(self._slot_now())
            waiting = {
                (_coarse(began_at), bucket)
                for (began_at, bucket), slot in self._slots.items()
                if slot.totals.requests != slot.written
            }
            for began_at, bucket in tuple(self._slots):
                if _coarse(began_at) != current and (_coarse(began_at), bucket) not in waiting:
                    del self._slots[began_at, bucket]

    # Under the lock.

    def _slot(self, bucket: str) -> _Slot:
        key = (self._slot_now(), bucket)
        slot = self._slots.get(key)
        if slot is None:
            slot = self._slots[key] = _Slot()
            if len(self._slots) > self._max_slots:
                self._lose_oldest(_coarse(key[0]))
        return slot

    def _slot_now(self) -> int:
        """When the slot of now began. A clock that steps back a little must not lead to one that was written
        and forgotten: it would be written anew, with less in it."""
        began_at = int(self._clock()) // FINE_SECONDS * FINE_SECONDS
        if began_at < self._newest <= began_at + COARSE_SECONDS:
            return self._newest
        self._newest = began_at
        return began_at

    def _lose_oldest(self, current: int) -> None:
        """Whole slots of ``COARSE_SECONDS``: a part of one would pass for the whole. Not the ``current``."""
        oldest = min(_coarse(began_at) for began_at, _ in self._slots)
        for key in [key for key in self._slots if _coarse(key[0]) == oldest != current]:
            del self._slots[key]


def _sum(totals: Totals) -> Totals:
    """A copy that does not change."""
    copied = Totals()
    copied.merge(totals)
    return copied


def _coarse(began_at: int) -> int:
    return began_at // COARSE_SECONDS * COARSE_SECONDS
