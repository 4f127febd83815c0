"""Tells the other workers, every two seconds, how far the bodies of this one have come, and keeps the records
of those that last."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from django.db import DatabaseError, close_old_connections, connection, transaction
from django.db.models.functions import Now

from uploads.ledger.open_record import OpenRecord, write_ahead
from uploads.ledger.outage import OUTAGE
from uploads.models import UploadProgress
from uploads.worker import worker_name

from . import rows
from .flows import FLOWS, Flow, Flows, Parts

logger = logging.getLogger("uploads.progress")

KEEP_SECONDS: Final = 1.0
"""The record of a body that takes longer is written ahead, within as long again."""
INTERVAL_SECONDS: Final = 2.0
YOUNG_SECONDS: Final = 2.0
"""A body that takes no longer is never told of."""
_PRUNE_SECONDS: Final = 30.0
_END_SECONDS: Final = 2.0
_Stage = UploadProgress.Stage


class ProgressReporter:
    """Reports the bodies of ``flows`` as rows of this worker, and adds up the parts that came.

    It fails open: what could not be written is told in the log once, and parts wait for the next time. All
    but ``start`` and ``stop`` is for one thread.
    """

    def __init__(self, flows: Flows, worker: str | None = None) -> None:
        self._flows = flows
        self._worker = worker or worker_name()
        self._told: dict[Flow, tuple[float, int]] = {}
        self._has_rows = False
        self._is_failing = False
        self._prune_at = flows.now() + _PRUNE_SECONDS
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Report from a thread of its own until ``stop``."""
        self._thread = threading.Thread(target=self._run, name="upload-progress", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread; what it told of bodies is withdrawn, and records that were late are written."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(_END_SECONDS)
        OUTAGE.tell_lost()

    def report(self) -> None:
        """Tell once. When nothing is under way and nothing came to its end since the last time: no query."""
        parts = self._flows.take_parts()
        slow = self._flows.current(older_than_seconds=YOUNG_SECONDS)
        if not (parts or slow or self._has_rows):
            return
        try:
            self._write(parts, slow)
        except DatabaseError as error:
            self._flows.add_parts(parts)
            self._failed(error)
            return
        self._has_rows = bool(slow)
        self._succeeded()

    def keep_records(self) -> None:
        """Write ahead the records of bodies that last, and those that the database did not take before. When
        there are none: no query."""
        lasting = [flow.record for flow in self._flows.current(older_than_seconds=KEEP_SECONDS)]
        unwritten = [record for record in lasting if isinstance(record, OpenRecord) and record.pk is None]
        if not (unwritten or OUTAGE.late):
            return
        try:
            OUTAGE.write_late()
            write_ahead(unwritten)
        except DatabaseError as error:
            self._failed(error)
        else:
            self._succeeded()

    def close(self) -> None:
        """Withdraw what was told of bodies."""
        try:
            if self._has_rows:
                rows.replace(self._worker, ())
                self._has_rows = False
        except DatabaseError as error:
            self._failed(error)

    def _run(self) -> None:
        report_at = self._flows.now() + INTERVAL_SECONDS
        while not self._stopping.wait(KEEP_SECONDS):
            self.keep_records()
            if self._flows.now() >= report_at:
                self.report()
                report_at += INTERVAL_SECONDS
        self.keep_records()
        self.report()
        self.close()
        connection.close()

    def _write(self, parts: Mapping[str, Parts], slow: Sequence[Flow]) -> None:
        with transaction.atomic():
            for upload_digest, came in parts.items():
                rows.add_parts(upload_digest, came)
            rows.replace(self._worker, self._rows(slow))
        now = self._flows.now()
        if now >= self._prune_at:
            rows.prune()
            self._prune_at = now + _PRUNE_SECONDS

    def _rows(self, slow: Sequence[Flow]) -> list[UploadProgress]:
        digests = {flow.upload_digest for flow in slow if flow.record is None}
        of_parts = rows.record_ids(digests) if digests else {}
        now, told = self._flows.now(), {}
        made = []
        for flow in slow:
            received_bytes = flow.received_bytes
            told[flow] = now, received_bytes
            record_id = of_parts.get(flow.upload_digest) if flow.record is None else flow.record.pk
            if record_id is not None:
                made.append(self._row(flow, record_id, received_bytes, now))
        self._told = told
        return made

    def _row(self, flow: Flow, record_id: int, received_bytes: int, now: float) -> UploadProgress:
        told_at, told_bytes = self._told.get(flow, (now - flow.age_seconds(now), 0))
        return UploadProgress(
            record_id=record_id,
            worker=self._worker,
            part_number=flow.part_number,
            stage=_Stage.STORING if flow.is_received else _Stage.RECEIVING,
            received_bytes=received_bytes,
            declared_bytes=flow.declared_bytes,
            bytes_per_second=(received_bytes - told_bytes) / max(now - told_at, 1e-3),
            began_at=datetime.fromtimestamp(flow.began_at, UTC),
            updated_at=Now(),
        )

    def _succeeded(self) -> None:
        if self._is_failing:
            self._is_failing = False
            logger.info("progress of uploads is told again")

    def _failed(self, error: DatabaseError) -> None:
        close_old_connections()
        if not self._is_failing:
            self._is_failing = True
            logger.warning("progress of uploads cannot be told, uploads go on: %s", error)


def start_reporting() -> ProgressReporter:
    """Report the bodies of this process from now on."""
    reporter = ProgressReporter(FLOWS)
    reporter.start()
    return reporter
