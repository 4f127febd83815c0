"""The record of an upload that is under way."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from typing import Any

from django.db import transaction

from uploads.models import UploadRecord, WebhookDelivery

from .group_commit import ROWS
from .rows import AnnouncedRow, Row, insert

State = UploadRecord.State


class OpenRecord:
    """In the database when it has a ``pk``; else it is written when the upload ends, or lasts.

    Who ends it and who writes it ahead may be two threads: it is written once, whoever is first.
    """

    __slots__ = ("_beginning", "_is_over", "_lock", "pk")

    def __init__(self, beginning: Row, pk: int | None = None) -> None:
        self._beginning = beginning
        self._lock = threading.Lock()
        self._is_over = False
        self.pk = pk

    @property
    def beginning(self) -> Row:
        """What was known when the upload began."""
        return self._beginning

    def write_ahead(self) -> int:
        """Write it now, as RECEIVING, before anybody else knows of it; returns ``pk``. Raises
        DatabaseError."""
        self.pk = UploadRecord.objects.create(**self._beginning).pk
        return self.pk

    def end(self, ending: Row, deliveries: Sequence[WebhookDelivery] = ()) -> None:
        """Write how the upload ended, and with it the deliveries that announce it; returns when both are
        committed. Raises DatabaseError, ValueError."""
        with self._lock:
            self._is_over = True
            if self.pk is None:
                ROWS.write(self._whole(ending, deliveries))
            else:
                _update(self.pk, ending, deliveries)

    def end_late(self, ending: Row, deliveries: Sequence[WebhookDelivery] = ()) -> None:
        """The same, once more after it failed: it may have been committed without our hearing of it."""
        if self.pk is not None:
            _update(self.pk, ending, deliveries)
        elif not UploadRecord.objects.filter(**self._identity()).exists():
            insert([self._whole(ending, deliveries)])

    def _whole(self, ending: Row, deliveries: Sequence[WebhookDelivery]) -> Row:
        values = {**self._beginning, **ending}
        return AnnouncedRow(values, deliveries) if deliveries else values

    def _identity(self) -> dict[str, Any]:
        names = ("request_id", "bucket", "key", "worker", "started_at")
        return {name: self._beginning[name] for name in names}


def _update(pk: int, ending: Row, deliveries: Sequence[WebhookDelivery]) -> None:
    """An object is announced once: who finds its record STORED comes second, and changes nothing."""
    record = UploadRecord.objects.filter(pk=pk)
    if not deliveries:
        record.update(**ending)
        return
    with transaction.atomic():
        if record.exclude(state=State.STORED).update(**ending):
            WebhookDelivery.objects.bulk_create(deliveries)


def write_ahead(records: Iterable[OpenRecord]) -> None:
    """Write those as RECEIVING that are not in the database, nor at their end. Raises DatabaseError."""
    held = [record for record in records if record.pk is None and record._lock.acquire(blocking=False)]
    try:
        unwritten = [record for record in held if record.pk is None and not record._is_over]
        rows = [UploadRecord(**record._beginning) for record in unwritten]
        for record, row in zip(unwritten, UploadRecord.objects.bulk_create(rows), strict=True):
            record.pk = row.pk
    finally:
        for record in held:
            record._lock.release()
