"""Records of uploads that nobody ends any more: of dead processes, of hosts that are gone, of clients."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from django.utils import timezone

from uploads.models import UploadRecord
from uploads.worker import is_dead

State = UploadRecord.State
Method = UploadRecord.Method


def fail_orphans() -> int:
    """Mark FAILED what processes of this host were receiving when they died; returns how many."""
    receiving = UploadRecord.objects.filter(state=State.RECEIVING).exclude(method=Method.MULTIPART)
    orphans = [pk for pk, worker in receiving.values_list("pk", "worker") if is_dead(worker)]
    return sum(
        receiving.filter(pk=pk).update(
            state=State.FAILED, error_code="WorkerDied", finished_at=timezone.now()
        )
        for pk in orphans
    )


def unfinished_multiparts(started_before: datetime) -> Iterator[UploadRecord]:
    """Multipart uploads that began before then and are not over, as far as the records know."""
    receiving = UploadRecord.objects.filter(state=State.RECEIVING, started_at__lt=started_before)
    return receiving.filter(method=Method.MULTIPART).iterator()


def expired(record: UploadRecord) -> None:
    """Mark a multipart upload ABORTED because nobody finished it in time, unless it is over by now."""
    UploadRecord.objects.filter(pk=record.pk, state=State.RECEIVING).update(
        state=State.ABORTED, error_code="Expired", finished_at=timezone.now()
    )


def fail_abandoned(started_before: datetime) -> int:
    """Mark FAILED what was sent in one request that began before then and never ended, on whatever host.
    Returns how many."""
    receiving = UploadRecord.objects.filter(state=State.RECEIVING, started_at__lt=started_before)
    return receiving.exclude(method=Method.MULTIPART).update(
        state=State.FAILED, error_code="Abandoned", finished_at=timezone.now()
    )
