"""What workers tell each other of progress: writing it, and clearing away what dead workers left."""

from __future__ import annotations

import socket
from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import F, QuerySet, Value
from django.db.models.functions import Coalesce, Now

from uploads.models import UploadProgress, UploadRecord
from uploads.worker import is_dead

from .flows import Parts

FRESH: Final = timedelta(seconds=30)
"""A row that was not kept up for so long is of a worker that died, or cannot reach the database."""


def this_host() -> str:
    """The host as names of workers begin with it."""
    return socket.gethostname()


def fresh() -> QuerySet[UploadProgress]:
    """What is kept up, by the database's clock: those of the nodes may differ."""
    return UploadProgress.objects.filter(updated_at__gte=Now() - FRESH)


def replace(worker: str, now_under_way: Iterable[UploadProgress]) -> None:
    """From now on these are the rows of that worker. Raises DatabaseError."""
    with transaction.atomic():
        UploadProgress.objects.filter(worker=worker).delete()
        UploadProgress.objects.bulk_create(now_under_way)


def record_ids(upload_digests: Collection[str]) -> Mapping[str, int]:
    """The records of multipart uploads by digest; without those that are over. Raises DatabaseError."""
    receiving = UploadRecord.objects.filter(
        upload_digest__in=upload_digests, state=UploadRecord.State.RECEIVING
    )
    return dict(receiving.values_list("upload_digest", "pk"))


def add_parts(upload_digest: str, parts: Parts) -> None:
    """Add to what the record of a multipart upload says, unless it is over. Raises DatabaseError."""
    UploadRecord.objects.filter(upload_digest=upload_digest, state=UploadRecord.State.RECEIVING).update(
        parts=Coalesce(F("parts"), Value(0)) + parts.number,
        received_bytes=Coalesce(F("received_bytes"), Value(0)) + parts.received_bytes,
        last_part_at=datetime.fromtimestamp(parts.last_at, UTC),
    )


def prune() -> None:
    """Remove rows that nobody keeps up, and those of dead processes of this host. Raises DatabaseError."""
    UploadProgress.objects.filter(updated_at__lt=Now() - FRESH).delete()
    of_this_host = UploadProgress.objects.filter(worker__startswith=f"{this_host()}:")
    for worker in set(of_this_host.values_list("worker", flat=True)):
        if is_dead(worker):
            UploadProgress.objects.filter(worker=worker).delete()
