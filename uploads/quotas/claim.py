"""What one request needs of its bucket's quota: reserved before the body, if its length is known."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from types import TracebackType
from typing import Final

from django.db import DatabaseError, transaction
from django.db.models import F

from authz.identity import Identity
from tracing_app.api import stage
from uploads.body.stream import ByteSource
from uploads.models import QuotaReservation, UploadRecord
from uploads.s3.errors import NoSuchUpload, QuotaExceeded
from uploads.worker import worker_name

from . import usage
from .reservations import lock_upload, release
from .rules import BucketQuota
from .usage import Account, Amount

logger = logging.getLogger("uploads.quotas")

STEP_BYTES: Final = 16 * 1024 * 1024
"""A body of unknown length reserves so much ahead of itself, or what it needs where no more is left."""


class Claim:
    """Of ``length`` bytes; None: it grows with the body, and the upload fails where the quota ends."""

    def __init__(self, quota: BucketQuota, bucket: str, identity: Identity, length: int | None) -> None:
        self._quota = quota
        self._bucket = bucket
        self._principal = identity.principal
        self._length = length
        self._account: Account | None = None
        self._record_id = self._reservation_id = 0

    def guard(self, source: ByteSource) -> ByteSource:
        """``source``, but what comes of it is reserved before anybody gets it. Raises QuotaExceeded there."""
        return source if self._length is not None else _GrowingSource(source, self)

    def object(self, started_at: datetime, write_record: Callable[[], int]) -> None:
        """Reserve for an object, and have its record written, which tells its id: both or nothing.

        Raises QuotaExceeded, DatabaseError."""
        self._account = Account(self._bucket, self._principal, self._quota.period(started_at))
        with stage("quota.reserve") as current, transaction.atomic():
            current.set("mizuchi.quota.bytes", self._length or 0)
            usage.reserve(self._account, self._quota, Amount(self._length or 0, 1))
            self._reserved(write_record(), self._account.period, object_count=1)

    def part(self, record: UploadRecord | None, part_number: int) -> PartReservation:
        """A block in which a part of the upload with this record is received. Raises NoSuchUpload for one
        that has none."""
        if record is None:
            raise NoSuchUpload
        self._account = Account(self._bucket, self._principal, self._quota.period(record.started_at))
        return PartReservation(self, record.pk, part_number)

    def reserve_part(self, record_id: int, part_number: int) -> int:
        """Returns the id of the reservation. Raises NoSuchUpload when the upload is over by now,
        QuotaExceeded, DatabaseError."""
        assert self._account is not None
        with stage("quota.reserve") as current, transaction.atomic():
            current.set("mizuchi.quota.bytes", self._length or 0)
            if not lock_upload(record_id):
                raise NoSuchUpload
            usage.reserve(self._account, self._quota, Amount(self._length or 0, 0))
            return self._reserved(record_id, self._account.period, part_number=part_number)

    def _reserved(
        self, record_id: int, period: str, *, object_count: int = 0, part_number: int | None = None
    ) -> int:
        row = QuotaReservation.objects.create(
            record_id=record_id,
            period=period,
            bytes=self._length or 0,
            object_count=object_count,
            part_number=part_number,
            worker=worker_name(),
        )
        self._record_id, self._reservation_id = record_id, row.pk
        return row.pk

    def grow(self, needed_bytes: int) -> int:
        """Reserve so much more, or ``STEP_BYTES``; returns how much. Raises QuotaExceeded, DatabaseError."""
        ahead = max(needed_bytes, STEP_BYTES)
        with suppress(QuotaExceeded):
            return self._grow(ahead)
        return self._grow(needed_bytes)

    def _grow(self, more_bytes: int) -> int:
        assert self._account is not None
        with transaction.atomic():
            if not lock_upload(self._record_id):
                raise NoSuchUpload  # of a part
            usage.reserve(self._account, self._quota, Amount(more_bytes, 0))
            mine = QuotaReservation.objects.filter(pk=self._reservation_id)
            mine.update(bytes=F("bytes") + more_bytes)
        return more_bytes


class PartReservation:
    """What a part needs, while it is received. One that failed gives it back; one that came stands for those
    with its number that came before."""

    def __init__(self, claim: Claim, record_id: int, part_number: int) -> None:
        self._claim = claim
        self._record_id = record_id
        self._part_number = part_number

    def __enter__(self) -> None:
        self._id = self._claim.reserve_part(self._record_id, self._part_number)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            with transaction.atomic():
                lock_upload(self._record_id)
                if error is None:
                    self._replace_earlier()
                else:
                    release(self._record_id, [self._id])
        except DatabaseError as failure:
            logger.error("a part stays reserved until its upload is over: %s", type(failure).__name__)

    def _replace_earlier(self) -> None:
        same = QuotaReservation.objects.filter(record_id=self._record_id, part_number=self._part_number)
        earlier = same.filter(is_received=True).values_list("pk", flat=True)
        release(self._record_id, list(earlier))
        same.filter(pk=self._id).update(is_received=True)


class _GrowingSource:
    """A body of unknown length, of plain payload: others promise one."""

    def __init__(self, source: ByteSource, claim: Claim) -> None:
        self._source = source
        self._claim = claim
        self._left = 0

    @property
    def copied_by(self) -> str:
        return self._source.copied_by

    def read_into(self, buffer: memoryview, /) -> int:
        received = self._source.read_into(buffer)
        if received > self._left:
            self._left += self._claim.grow(received - self._left)
        self._left -= received
        return received
