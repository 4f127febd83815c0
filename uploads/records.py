"""Upload records: begun before the body, finished after it, failed by any other exit."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from time import perf_counter
from typing import Any

from django.db import DatabaseError, close_old_connections
from django.db.models import Q
from django.utils import timezone

from authz.identity import Identity
from tracing_app.api import add, trace_id
from uploads.backends.base import StoredObject
from uploads.body.verified import VerifiedBody
from uploads.failures import failure_of
from uploads.models import UploadRecord
from uploads.upload_id import UploadOwner, digest
from uploads.worker import is_dead, worker_name

logger = logging.getLogger(__name__)

State = UploadRecord.State
Method = UploadRecord.Method


@contextmanager
def _waiting() -> Iterator[None]:
    """What the database keeps us waiting is added up on the span under way: a span for each of the two
    writes would cost more than all the rest that an upload tells."""
    began = perf_counter()
    try:
        yield
    finally:
        add("mizuchi.record_wait_ms", (perf_counter() - began) * 1e3)


def begin(
    identity: Identity,
    bucket: str,
    key: str,
    method: UploadRecord.Method,
    *,
    content_type: str | None,
    upload_id: str = "",
) -> UploadRecord:
    """Write a RECEIVING record, in a transaction of its own. Raises DatabaseError."""
    with _waiting():
        return UploadRecord.objects.create(
            request_id=trace_id(),
            bucket=bucket,
            key=key,
            principal=identity.principal,
            auth_method=identity.method,
            method=method,
            content_type=(content_type or "")[:255],
            upload_id=upload_id,
            upload_digest=digest(upload_id) if upload_id else "",
            worker=worker_name(),
            started_at=timezone.now(),
        )


def stored(
    record: UploadRecord, stored: StoredObject, body: VerifiedBody | None = None, *, parts: int | None = None
) -> None:
    """Mark it STORED. The object is visible by now, so a database that fails here fails no upload.

    With the ``body`` that it came in, or the number of ``parts`` it is made of.
    """
    _finish(
        record.pk,
        state=State.STORED,
        size=stored.size,
        etag=stored.etag[:255],
        checksums=dict(stored.checksums),
        checksum_type=stored.checksum_type or "",
        version_id=stored.version_id or "",
        error_code="",
        parts=parts,
        **_flow_of(body),
    )


def failed(record: UploadRecord, error_code: str, body: VerifiedBody | None = None) -> None:
    """Mark it FAILED with the S3 code that the client is told; ``body`` is what came until then."""
    _finish(record.pk, state=State.FAILED, error_code=error_code[:64], **_flow_of(body))


def aborted(record: UploadRecord) -> None:
    """Mark a multipart upload ABORTED."""
    _finish(record.pk, state=State.ABORTED)


def _flow_of(body: VerifiedBody | None) -> dict[str, float]:
    if body is None:
        return {}
    return {
        "received_bytes": body.size,
        "receive_wait_ms": body.timeline.receive_wait_ns / 1e6,
        "backend_wait_ms": body.timeline.backend_wait_ns / 1e6,
    }


def _finish(pk: int, **fields: Any) -> None:
    with _waiting():
        try:
            UploadRecord.objects.filter(pk=pk).update(finished_at=timezone.now(), **fields)
        except DatabaseError:
            logger.exception("record %s could not be marked %s", pk, fields["state"])
            close_old_connections()


@contextmanager
def failing(record: UploadRecord, body: VerifiedBody | None = None) -> Iterator[None]:
    """Whatever leaves the block by an exception marks the record FAILED with its code, and with what came of
    the ``body``."""
    try:
        yield
    except BaseException as error:
        failed(record, failure_of(error).code, body)
        raise


def receipt(identity: Identity, bucket: str, key: str, version_id: str | None = None) -> UploadRecord | None:
    """The newest object of this key that this principal stored through the gateway; with ``version_id``,
    that version of it. ``"null"`` is S3's name of a version in a bucket that keeps none."""
    mine = UploadRecord.objects.filter(bucket=bucket, key=key, principal=identity.principal)
    if version_id is not None:
        mine = mine.filter(version_id="" if version_id == "null" else version_id)
    return mine.filter(state=State.STORED).order_by("-finished_at", "-id").first()


def as_stored_object(record: UploadRecord) -> StoredObject:
    """What a STORED record says of its object."""
    return StoredObject(
        etag=record.etag,
        size=record.size or 0,
        checksums=record.checksums,
        checksum_type=record.checksum_type or None,  # type: ignore[arg-type]
        version_id=record.version_id or None,
    )


def multipart(owner: UploadOwner, upload_id: str) -> UploadRecord | None:
    """The record of a multipart upload, by its sealed id."""
    return UploadRecord.objects.filter(
        upload_digest=digest(upload_id), principal=owner.principal, bucket=owner.bucket, key=owner.key
    ).first()


def uploads_in_progress(
    identity: Identity, bucket: str, *, prefix: str, key_marker: str, upload_id_marker: str, limit: int
) -> list[UploadRecord]:
    """The principal's own multipart uploads in this bucket, as far as the identity's scope reaches, by key
    and then age, after the markers."""
    mine = UploadRecord.objects.filter(
        bucket=bucket, principal=identity.principal, method=Method.MULTIPART, state=State.RECEIVING
    )
    if prefix:
        mine = mine.filter(key__startswith=prefix)
    if bucket in identity.scope.prefixes:
        mine = mine.filter(_begins_with_one(identity.scope.prefixes[bucket]))
    if key_marker and not upload_id_marker:
        mine = mine.filter(key__gt=key_marker)
    ordered = mine.order_by("key", "id")
    if key_marker and upload_id_marker:
        seen = UploadRecord.objects.filter(upload_digest=digest(upload_id_marker)).values_list("id").first()
        after = seen[0] if seen else 0
        ordered = (mine.filter(key=key_marker, id__gt=after) | mine.filter(key__gt=key_marker)).order_by(
            "key", "id"
        )
    return list(ordered[:limit])


def _begins_with_one(prefixes: Iterable[str]) -> Q:
    matching = Q(pk__in=())
    for prefix in prefixes:
        matching |= Q(key__startswith=prefix)
    return matching


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
