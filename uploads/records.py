"""Upload records: begun before the body, ended after it, failed by any other exit.

The record of a small object is written once, when it is stored or has failed; until then it is in memory. If
it lasts longer than a second, the process's reporter of progress writes it ahead.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import partial
from time import perf_counter
from typing import Any, Final

from django.db import DatabaseError, close_old_connections
from django.utils import timezone

from authz.identity import Identity
from tracing_app.api import add, trace_id
from uploads.backends.base import StoredObject
from uploads.body.verified import VerifiedBody
from uploads.failures import failure_of
from uploads.ledger.open_record import OpenRecord
from uploads.ledger.outage import OUTAGE
from uploads.models import UploadRecord, WebhookDelivery
from uploads.notifications import event as events
from uploads.notifications.outbox import WRITTEN, BucketWebhooks
from uploads.quotas.claim import Claim
from uploads.quotas.reservations import ReservedRecord
from uploads.signals import object_stored
from uploads.upload_id import digest
from uploads.worker import worker_name

logger = logging.getLogger(__name__)

State = UploadRecord.State
Method = UploadRecord.Method
AnyRecord = UploadRecord | OpenRecord


BRIEF_BYTES: Final = 1024 * 1024
"""An object of no more is taken for one that is over in a moment."""


def open_record(
    identity: Identity,
    bucket: str,
    key: str,
    method: UploadRecord.Method,
    *,
    content_type: str | None,
    payload_length: int | None,
    claim: Claim | None = None,
) -> OpenRecord:
    """Begin the record of an object that comes in one request.

    It is written ahead when the upload may take long, when the database is not known to take records, and
    when it may not take this one (PostgreSQL has no NUL): then the body is refused before it is sent.
    That of a ``claim`` always is, with what it reserves. Raises DatabaseError, QuotaExceeded.
    """
    beginning = _beginning(identity, bucket, key, method, content_type)
    if claim is not None:
        return _reserved_record(beginning, claim)
    record = OpenRecord(beginning)
    is_brief = payload_length is not None and payload_length <= BRIEF_BYTES
    if not is_brief or OUTAGE.is_suspected or "\0" in key:
        began = perf_counter()
        try:
            record.write_ahead()
        finally:
            _waited_since(began)
        OUTAGE.over()
    return record


def _reserved_record(beginning: dict[str, Any], claim: Claim) -> OpenRecord:
    record = ReservedRecord(beginning)
    began = perf_counter()
    try:
        claim.object(beginning["started_at"], record.write_ahead)
    finally:
        _waited_since(began)
    OUTAGE.over()
    return record


def begin(
    identity: Identity,
    bucket: str,
    key: str,
    method: UploadRecord.Method,
    *,
    content_type: str | None,
    upload_id: str = "",
    claim: Claim | None = None,
) -> UploadRecord:
    """Write a RECEIVING record, in a transaction of its own, and reserve what a ``claim`` is for. Raises
    DatabaseError, QuotaExceeded."""
    fields = _beginning(identity, bucket, key, method, content_type)
    if upload_id:
        fields |= {"upload_id": upload_id, "upload_digest": digest(upload_id)}
    began = perf_counter()
    try:
        record = UploadRecord(**fields)
        if claim is None:
            record.save(force_insert=True)
        else:
            claim.object(fields["started_at"], partial(_inserted, record))
        return record
    finally:
        _waited_since(began)


def _inserted(record: UploadRecord) -> int:
    record.save(force_insert=True)
    return record.pk


def _beginning(
    identity: Identity, bucket: str, key: str, method: UploadRecord.Method, content_type: str | None
) -> dict[str, Any]:
    return {
        "request_id": trace_id(),
        "bucket": bucket,
        "key": key,
        "principal": identity.principal,
        "auth_method": identity.method,
        "method": method.value,
        "content_type": (content_type or "")[:255],
        "worker": worker_name(),
        "started_at": timezone.now(),
    }


def _waited_since(began: float) -> None:
    """What the database keeps us waiting is added up on the span under way: a span for each write would
    cost more than all the rest that an upload tells."""
    add("mizuchi.record_wait_ms", (perf_counter() - began) * 1e3)


def stored(
    record: AnyRecord,
    stored: StoredObject,
    body: VerifiedBody | None = None,
    *,
    parts: int | None = None,
    webhooks: BucketWebhooks | None = None,
) -> None:
    """Mark it STORED. The object is visible by now, so a database that fails here fails no upload.

    With the ``body`` that it came in, or the number of ``parts`` it is made of. Deliveries to ``webhooks``
    are committed with it.
    """
    ending = {
        "state": State.STORED.value,
        "size": stored.size,
        "etag": stored.etag[:255],
        "checksums": dict(stored.checksums),
        "checksum_type": stored.checksum_type or "",
        "version_id": stored.version_id or "",
        "error_code": "",
        "parts": parts,
    }
    if webhooks is None and not object_stored.receivers:
        _end(record, ending, body)
        return
    event = _event(record, stored)
    _end(record, ending, body, () if webhooks is None else webhooks.deliveries(event))
    object_stored.send_robust(events.ObjectStored, event=event)


_EVENT_NAMES: Final = {
    Method.SIMPLE.value: events.PUT,
    Method.FORM.value: events.POST,
    Method.MULTIPART.value: events.COMPLETE,
}


def _event(record: AnyRecord, stored: StoredObject) -> events.ObjectStored:
    began = record.beginning if isinstance(record, OpenRecord) else vars(record)
    return events.ObjectStored(
        name=_EVENT_NAMES[began["method"]],
        bucket=began["bucket"],
        key=began["key"],
        size=stored.size,
        etag=stored.etag,
        version_id=stored.version_id or "",
        checksums=stored.checksums,
        content_type=began["content_type"],
        principal=began["principal"],
        request_id=began["request_id"],
        occurred_at=timezone.now(),
    )


def failed(record: AnyRecord, error_code: str, body: VerifiedBody | None = None) -> None:
    """Mark it FAILED with the S3 code that the client is told; ``body`` is what came until then."""
    _end(record, {"state": State.FAILED.value, "error_code": error_code[:64]}, body)


def aborted(record: AnyRecord) -> None:
    """Mark a multipart upload ABORTED."""
    _end(record, {"state": State.ABORTED.value})


def _end(
    record: AnyRecord,
    ending: dict[str, Any],
    body: VerifiedBody | None = None,
    deliveries: Sequence[WebhookDelivery] = (),
) -> None:
    ending["finished_at"] = timezone.now()
    if body is not None:
        ending["received_bytes"] = body.size
        ending["receive_wait_ms"] = body.timeline.receive_wait_ns / 1e6
        ending["backend_wait_ms"] = body.timeline.backend_wait_ns / 1e6
    opened = record if isinstance(record, OpenRecord) else ReservedRecord({}, record.pk)
    began = perf_counter()
    try:
        opened.end(ending, deliveries)
    except (DatabaseError, ValueError) as error:
        is_kept = OUTAGE.failed(partial(opened.end_late, ending, deliveries), error)
        logger.exception(
            "the record of request %s could not be marked %s, %s",
            trace_id(),
            ending["state"],
            "it is tried again" if is_kept else "it is lost",
        )
        close_old_connections()
    else:
        if deliveries:
            WRITTEN.set()
    finally:
        _waited_since(began)


class failing:  # noqa: N801 - reads as the context manager it is
    """Whatever leaves the block by an exception marks the record FAILED with its code, and with what came of
    the ``body``."""

    __slots__ = ("_body", "_record")

    def __init__(self, record: AnyRecord, body: VerifiedBody | None = None) -> None:
        self._record = record
        self._body = body

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if error is not None:
            failed(self._record, failure_of(error).code, self._body)
