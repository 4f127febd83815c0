"""Counts the requests of a process: on their path they are noted, and elsewhere added up."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from uploads.s3.operations import Operation

from .totals import Totals

FINE_SECONDS: Final = 15
COARSE_SECONDS: Final = 300
NO_BUCKET: Final = "-"
"""Stands for all buckets that are not configured: their names may be anything."""
MAX_SLOTS: Final = 10_000
MAX_NOTED: Final = 65_536

Waits = tuple[float, float]
"""Seconds that the flow of a body waited for the client, and for the storage."""


@dataclass(frozen=True, slots=True)
class SlotRow:
    """All that was counted so far of a bucket in the ``seconds`` from ``began_at`` (Unix time) on."""

    seconds: int
    began_at: int
    bucket: str
    totals: Totals


class _Answered(NamedTuple):
    at: float
    bucket: str
    operation: Operation | None
    status: int
    seconds: float
    bytes_received: int
    waits: Waits | None


class _Slot:
    """``written`` is how many of its requests the database knows."""

    __slots__ = ("totals", "written")

    def __init__(self) -> None:
        self.totals = Totals()
        self.written = 0


class RequestRecorder:
    """Requests are counted in slots of ``FINE_SECONDS``; of those the slots of ``COARSE_SECONDS`` are made
    when they are to be written.

    The threads of requests take no lock: one that is held by a thread which waits for the interpreter makes
    all others wait, too. They note what they have to tell, which is one atomic step, and the thread that
    tells the database adds it up. At most ``max_noted`` requests are noted; what a database that is away
    leaves unwritten waits in at most ``max_slots`` slots. Beyond that the oldest is lost.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.time,
        *,
        max_slots: int = MAX_SLOTS,
        max_noted: int = MAX_NOTED,
    ) -> None:
        self._clock = clock
        self._max_slots = max_slots
        self._noted: deque[_Answered] = deque(maxlen=max_noted)
        self._under_way: dict[object, str] = {}
        self._slots: dict[tuple[int, str], _Slot] = {}
        self._newest = 0

    # For the threads of requests.

    def enter(self, request: object, bucket: str) -> None:
        """This request, for the bucket, is under way."""
        self._under_way[request] = bucket

    def leave(self, request: object) -> None:
        """It is over, if it was under way."""
        self._under_way.pop(request, None)

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
        self._noted.append(
            _Answered(self._clock(), bucket, operation, status, seconds, bytes_received, waits)
        )

    def in_flight(self) -> Mapping[str, int]:
        """How many requests are under way, by bucket. From any thread."""
        return Counter(list(self._under_way.values()))

    # For the one thread that tells the database.

    @property
    def slots_held(self) -> int:
        return len(self._slots)

    def add_up(self) -> None:
        """Count what was noted. It may be done at any time between: a note takes memory, a count does not."""
        for _ in range(len(self._noted)):
            answered = self._noted.popleft()
            totals = self._slot(answered.at, answered.bucket).totals
            totals.add(answered.operation, answered.status, answered.seconds, answered.bytes_received)
            if answered.waits is not None:
                totals.add_transfer(answered.seconds, *answered.waits)

    def unwritten(self) -> list[SlotRow]:
        """Every slot that changed since it was written, oldest first, whole: as it is now."""
        self.add_up()
        changed = [key for key, slot in self._slots.items() if slot.totals.requests != slot.written]
        wanted = {(_coarse(began_at), bucket): Totals() for began_at, bucket in changed}
        for (began_at, bucket), slot in self._slots.items():
            if (key := (_coarse(began_at), bucket)) in wanted:
                wanted[key].merge(slot.totals)
        return [
            *(SlotRow(FINE_SECONDS, *key, _sum(self._slots[key].totals)) for key in changed),
            *(SlotRow(COARSE_SECONDS, *key, totals) for key, totals in wanted.items()),
        ]

    def written(self, rows: Iterable[SlotRow]) -> None:
        """The database has these: what is older than the newest that was counted need not be kept."""
        for row in rows:
            slot = self._slots.get((row.began_at, row.bucket))
            if row.seconds == FINE_SECONDS and slot is not None:
                slot.written = row.totals.requests
        current = _coarse(self._newest)
        waiting = {
            (_coarse(began_at), bucket)
            for (began_at, bucket), slot in self._slots.items()
            if slot.totals.requests != slot.written
        }
        for began_at, bucket in tuple(self._slots):
            if _coarse(began_at) != current and (_coarse(began_at), bucket) not in waiting:
                del self._slots[began_at, bucket]

    def _slot(self, at: float, bucket: str) -> _Slot:
        key = (self._slot_at(at), bucket)
        slot = self._slots.get(key)
        if slot is None:
            slot = self._slots[key] = _Slot()
            if len(self._slots) > self._max_slots:
                self._lose_oldest(_coarse(key[0]))
        return slot

    def _slot_at(self, at: float) -> int:
        """When the slot of that time began. A clock that steps back a little must not lead to one that was
        written and forgotten: it would be written anew, with less in it."""
        began_at = int(at) // FINE_SECONDS * FINE_SECONDS
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
