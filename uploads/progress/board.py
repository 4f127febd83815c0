"""All uploads that are under way, over all workers and nodes, as far as they told."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Final, Literal

from django.db.models import F

from uploads.models import UploadProgress, UploadRecord

from . import rows

Stage = Literal["receiving", "storing", "waiting"]
LIMIT: Final = 100
_BEGUN_COUNTED: Final = 10_000


@dataclass(frozen=True, slots=True)
class UploadInFlight:
    """One upload. ``bodies`` are those on their way now, of a multipart upload its parts.

    ``stage`` is ``waiting`` when there is none: a multipart upload waits for its client's next part.
    """

    record: UploadRecord
    bodies: tuple[UploadProgress, ...]

    @property
    def stage(self) -> Stage:
        if not self.bodies:
            return "waiting"
        is_storing = all(body.stage == UploadProgress.Stage.STORING for body in self.bodies)
        return "storing" if is_storing else "receiving"

    @property
    def is_multipart(self) -> bool:
        return self.record.method == UploadRecord.Method.MULTIPART

    @property
    def received_bytes(self) -> int:
        """Those of parts that came, too; of a part that was sent again, all."""
        return (self.record.received_bytes or 0) + sum(body.received_bytes for body in self.bodies)

    @property
    def declared_bytes(self) -> int | None:
        """How many it will be; None when the client did not say, as with every multipart upload."""
        if self.is_multipart or not self.bodies:
            return None
        return self.bodies[0].declared_bytes

    @property
    def bytes_per_second(self) -> float:
        """Over the last seconds, of all its bodies together."""
        return sum(body.bytes_per_second for body in self.bodies)

    @property
    def began_at(self) -> datetime:
        return self.record.started_at


@dataclass(frozen=True, slots=True)
class Board:
    """``just_begun`` more are too young to be told of. ``is_cut_off``: there are more than asked for."""

    uploads: Sequence[UploadInFlight]
    just_begun: int
    is_cut_off: bool


def uploads_in_flight(limit: int = LIMIT) -> Board:
    """At most ``limit``: those with a body on its way, the oldest first, then multipart uploads that wait for
    their next part, those whose last part is the most recent first."""
    told = rows.fresh().filter(record__state=UploadRecord.State.RECEIVING)
    told = told.select_related("record").order_by("began_at", "id")
    under_way = _together(told)
    uploads = list(islice(under_way, limit + 1))
    shown = [upload.record.pk for upload in uploads]
    if len(uploads) <= limit:
        receiving = UploadRecord.objects.filter(state=UploadRecord.State.RECEIVING)
        waiting = receiving.filter(method=UploadRecord.Method.MULTIPART).exclude(pk__in=shown)
        by_activity = waiting.order_by(F("last_part_at").desc(nulls_first=True), "-id")
        uploads += [UploadInFlight(record, ()) for record in by_activity[: limit + 1 - len(uploads)]]
    return Board(uploads[:limit], _just_begun(shown), len(uploads) > limit)


def progress_of(record: UploadRecord) -> UploadInFlight:
    """One upload that is under way."""
    return UploadInFlight(record, tuple(rows.fresh().filter(record=record).order_by("began_at", "id")))


def _together(told: Iterable[UploadProgress]) -> Iterable[UploadInFlight]:
    """Bodies of one upload as one, in the order of their first."""
    bodies: dict[int, list[UploadProgress]] = {}
    for body in told:
        bodies.setdefault(body.record_id, []).append(body)
    return (UploadInFlight(parts[0].record, tuple(parts)) for parts in bodies.values())


def _just_begun(shown: Sequence[int]) -> int:
    receiving = UploadRecord.objects.filter(state=UploadRecord.State.RECEIVING).exclude(pk__in=shown)
    return receiving.exclude(method=UploadRecord.Method.MULTIPART)[:_BEGUN_COUNTED].count()
