"""The slots in the database: two lengths of them, each kept as long as a window needs it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from .latency import pack
from .models import StatisticsSlot
from .recorder import COARSE_SECONDS, FINE_SECONDS, RequestRecorder, SlotRow
from .totals import SUMS

KEPT: Final = {FINE_SECONDS: timedelta(minutes=75), COARSE_SECONDS: timedelta(hours=25)}

_UNIQUE: Final = ["seconds", "began_at", "worker", "bucket"]
_VALUES: Final = [*SUMS, "latencies"]


def write_slots(recorder: RequestRecorder, worker: str) -> None:
    """Write what changed since it was last written, each slot whole. Raises DatabaseError; then nothing of it
    is lost, it is written the next time."""
    rows = recorder.unwritten()
    if not rows:
        return
    StatisticsSlot.objects.bulk_create(
        [_record(row, worker) for row in rows],
        update_conflicts=True,
        unique_fields=_UNIQUE,
        update_fields=_VALUES,
    )
    recorder.written(rows)


def prune_slots(now: datetime) -> None:
    """Delete what no window shows any more. Raises DatabaseError."""
    for seconds, kept in KEPT.items():
        oldest = now - kept - timedelta(seconds=seconds)
        StatisticsSlot.objects.filter(seconds=seconds, began_at__lt=oldest).delete()


def _record(row: SlotRow, worker: str) -> StatisticsSlot:
    return StatisticsSlot(
        seconds=row.seconds,
        began_at=datetime.fromtimestamp(row.began_at, UTC),
        worker=worker,
        bucket=row.bucket,
        latencies=pack(row.totals.latencies),
        **{name: getattr(row.totals, name) for name in SUMS},
    )
