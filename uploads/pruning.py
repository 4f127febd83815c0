"""Ends multipart uploads that nobody finished: at the backend, with their record."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from uploads import abandoned
from uploads.backends.base import MultipartRef, StaleUpload
from uploads.backends.errors import BackendError, UploadNotFound
from uploads.gateway import Bucket, Gateway
from uploads.models import UploadRecord
from uploads.quotas.reservations import reconcile
from uploads.quotas.usage import forget_past_periods
from uploads.s3.addressing import apply_prefix
from uploads.s3.errors import S3Error
from uploads.upload_id import UploadOwner

logger = logging.getLogger(__name__)

_PAGE = 1000


@dataclass(frozen=True, slots=True)
class Pruned:
    """One upload that was (or with a dry run would be) ended. ``error`` is empty when all went well; with
    an empty ``key`` it is that the bucket could not be searched."""

    bucket: str
    key: str
    initiated: datetime
    error: str = ""


def prune(gateway: Gateway, initiated_before: float, *, is_dry_run: bool) -> Iterator[Pruned]:
    """End every multipart upload that began before that Unix time and got no part since."""
    for bucket in gateway.buckets.values():
        yield from _prune_bucket(bucket, initiated_before, is_dry_run=is_dry_run)
    if not is_dry_run:
        _end_records(gateway, datetime.fromtimestamp(initiated_before, UTC))


def _prune_bucket(bucket: Bucket, before: float, *, is_dry_run: bool) -> Iterator[Pruned]:
    try:
        stale = bucket.backend.stale_uploads(bucket.target, bucket.prefix, before)
    except BackendError as error:
        logger.error("bucket %s could not be searched: %s", bucket.name, error.detail)
        yield Pruned(bucket.name, "", datetime.fromtimestamp(before, UTC), error.message)
        return
    for upload in stale:
        pruned = _prune_upload(bucket, upload, before, is_dry_run=is_dry_run)
        if pruned is not None:
            yield pruned


def _prune_upload(bucket: Bucket, upload: StaleUpload, before: float, *, is_dry_run: bool) -> Pruned | None:
    """None when it goes on, or is over by now."""
    key = upload.ref.key.removeprefix(bucket.prefix)
    initiated = datetime.fromtimestamp(upload.initiated, UTC)
    try:
        if _is_live(bucket, upload.ref, before):
            return None
        if not is_dry_run:
            bucket.backend.abort_multipart_upload(upload.ref)
    except UploadNotFound:
        return None
    except BackendError as error:
        logger.error("an upload to bucket %s could not be ended: %s", bucket.name, error.detail)
        return Pruned(bucket.name, key, initiated, error.message)
    return Pruned(bucket.name, key, initiated)


def _is_live(bucket: Bucket, upload: MultipartRef, since: float) -> bool:
    """Did a part arrive since then? Such an upload is old but goes on. Raises BackendError."""
    after = 0
    while True:
        page = bucket.backend.list_parts(upload, after, _PAGE)
        if any(part.last_modified >= since for part in page.parts):
            return True
        if not page.is_truncated or page.next_part_number_marker <= after:
            return False
        after = page.next_part_number_marker


def _end_records(gateway: Gateway, before: datetime) -> None:
    """The records of uploads that are no more; one that goes on, or whose backend is silent, stays."""
    for record in abandoned.unfinished_multiparts(before):
        if _is_gone(gateway, record):
            abandoned.expired(record)
    abandoned.fail_abandoned(before)
    reconcile()
    forget_past_periods(datetime.now(UTC))


def _is_gone(gateway: Gateway, record: UploadRecord) -> bool:
    bucket = gateway.buckets.get(record.bucket)
    if bucket is None:
        return True
    owner = UploadOwner(record.principal, record.bucket, record.key)
    try:
        ticket = gateway.sealer.open(record.upload_id, owner)
        key = apply_prefix(bucket.prefix, record.key)
        bucket.backend.list_parts(MultipartRef(bucket.target, key, ticket.backend_id, ticket.checksum), 0, 1)
    except (S3Error, UploadNotFound):
        return True
    except BackendError as error:
        logger.error("record %s stays as it is: %s", record.pk, error.detail)
    return False
