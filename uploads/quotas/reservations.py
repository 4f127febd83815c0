"""What uploads under way have reserved, and how that ends: with the record, whatever becomes of it."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from django.db import transaction
from django.db.models import QuerySet

from uploads.ledger.open_record import OpenRecord
from uploads.ledger.rows import Row
from uploads.models import QuotaReservation, UploadRecord, WebhookDelivery
from uploads.worker import is_dead

from . import usage
from .usage import NOTHING, Account, Amount


class ReservedRecord(OpenRecord):
    """A record that is in the database from its beginning, with what is reserved for its upload: both end in
    one transaction."""

    __slots__ = ()

    def end(self, ending: Row, deliveries: Sequence[WebhookDelivery] = ()) -> None:
        with transaction.atomic():
            super().end(ending, deliveries)
            self._settle(ending)

    def end_late(self, ending: Row, deliveries: Sequence[WebhookDelivery] = ()) -> None:
        with transaction.atomic():
            super().end_late(ending, deliveries)
            self._settle(ending)

    def _settle(self, ending: Row) -> None:
        assert self.pk is not None
        is_stored = ending["state"] == UploadRecord.State.STORED
        settle(self.pk, ending["size"] if is_stored else None)


def lock_upload(record_id: int) -> bool:
    """Whoever touches what is reserved for an upload has its record locked first, as who ends it does; so
    none of them waits for another that waits for it. False when the upload is over."""
    record = UploadRecord.objects.select_for_update(no_key=True).filter(pk=record_id)
    return list(record.values_list("state", flat=True)) == [UploadRecord.State.RECEIVING]


def settle(record_id: int, stored_bytes: int | None) -> None:
    """End what is reserved for an upload: so much was stored, or None when nothing was. For the transaction
    that has its record locked; done again it does nothing."""
    held = list(QuotaReservation.objects.filter(record_id=record_id).order_by("pk"))
    if held:
        _end(held, NOTHING if stored_bytes is None else Amount(stored_bytes, 1))


def release(record_id: int, reservation_ids: Collection[int]) -> None:
    """End these of what is reserved for an upload: nothing was stored of it, or what others hold. For the
    transaction that has its record locked."""
    held = list(QuotaReservation.objects.filter(record_id=record_id, pk__in=reservation_ids))
    if held:
        _end(held, NOTHING)


def _end(held: Sequence[QuotaReservation], stored: Amount) -> None:
    """What was stored counts for the period in which the upload began."""
    record, home = held[0].record, held[0].period
    QuotaReservation.objects.filter(pk__in=[each.pk for each in held]).delete()
    for period in sorted({each.period for each in held}):
        of_it = [each for each in held if each.period == period]
        reserved = Amount(sum(each.bytes for each in of_it), sum(each.object_count for each in of_it))
        account = Account(record.bucket, record.principal, period)
        usage.end(account, reserved, stored if period == home else NOTHING)


def reconcile() -> int:
    """End what is reserved for uploads that are over by their record, and for parts whose process died;
    returns for how many uploads. Safe beside live ones."""
    over = QuotaReservation.objects.exclude(record__state=UploadRecord.State.RECEIVING)
    dead = {
        record_id
        for record_id, worker in _parts_in_flight().values_list("record_id", "worker")
        if is_dead(worker)
    }
    uploads = {*over.values_list("record_id", flat=True), *dead}
    for record_id in uploads:
        with transaction.atomic():
            _reconcile(record_id)
    return len(uploads)


def _reconcile(record_id: int) -> None:
    if not lock_upload(record_id):
        record = UploadRecord.objects.get(pk=record_id)
        settle(record_id, record.size if record.state == UploadRecord.State.STORED else None)
        return
    parts = _parts_in_flight().filter(record_id=record_id)
    release(record_id, [pk for pk, worker in parts.values_list("pk", "worker") if is_dead(worker)])


def _parts_in_flight() -> QuerySet[QuotaReservation]:
    return QuotaReservation.objects.filter(part_number__isnull=False, is_received=False)
