"""The export of log records as a process has it: begun with its logging, ended with it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tracing_app.exporting.state_log import ExportState
    from tracing_app.exporting.stats import DropReason
    from tracing_app.exporting.worker import ExportWorker

    from .exported_record import LogEntry

DEADLINE_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class LogExportStats:
    """What became of this process's records. Moments are Unix seconds."""

    records_offered: int
    records_exported: int
    records_rejected: int
    records_dropped: Mapping[DropReason, int]
    queue_records: int
    state: ExportState
    last_success_at: float | None
    last_error: str
    last_error_at: float | None


class LogExport:
    """A bounded queue and a thread of its own, as for traces. There is no spool: a record that cannot be
    sent in time is dropped and counted; the console has it."""

    def __init__(self, worker: ExportWorker[LogEntry]) -> None:
        self._worker = worker
        self._ends_at: float | None = None

    def offer(self, entry: LogEntry) -> None:
        """Queue an entry; never blocks, never raises."""
        self._worker.offer(entry)

    def hurry(self, deadline_seconds: float) -> None:
        """The process is ending: begin to send what is queued. Returns at once, and ``close`` keeps this
        deadline, so that whatever else ends in the meantime costs no time of its own."""
        self._ends_at = time.monotonic() + deadline_seconds
        self._worker.hurry(deadline_seconds)

    def close(self) -> bool:
        """Send what is left within the deadline, take nothing more. Whether nothing was lost."""
        ends_at = self._ends_at
        return self._worker.shutdown(
            DEADLINE_SECONDS if ends_at is None else max(ends_at - time.monotonic(), 0.0)
        )

    def stats(self) -> LogExportStats:
        """How it stands now."""
        stats = self._worker.stats()
        return LogExportStats(
            records_offered=stats.spans_offered,
            records_exported=stats.spans_exported,
            records_rejected=stats.spans_rejected,
            records_dropped=stats.spans_dropped,
            queue_records=stats.queue_spans,
            state=stats.state,
            last_success_at=stats.last_success_at,
            last_error=stats.last_error,
            last_error_at=stats.last_error_at,
        )


class _Process:
    export: LogExport | None = None


def use_log_export(export: LogExport) -> None:
    """Make it the one of this process, and of those forked from it."""
    _Process.export = export


def hurry_log_export(deadline_seconds: float) -> None:
    """See ``LogExport.hurry``; without an export nothing happens."""
    if _Process.export is not None:
        _Process.export.hurry(deadline_seconds)


def log_export_stats() -> LogExportStats | None:
    """What became of this process's log records so far; None when none are exported."""
    return None if _Process.export is None else _Process.export.stats()
