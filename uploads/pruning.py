"""Ends multipart uploads that nobody finished: at the backend, with their record."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from uploads import records
from uploads.backends.base import StaleUpload
from uploads.backends.errors import BackendError, UploadNotFound
from uploads.gateway import Bucket, Gateway

logger = logging.getLogger(__name__)

_PAGE = 1000


@dataclass(frozen=True, slots=True)
class Pruned:
    """One upload that was (or with a dry run would be) ended. ``error`` is empty when all went well."""

    bucket: str
    key: str
    initiated: datetime
    error: str = ""


def prune(gateway: Gateway, initiated_before: float, *, is_dry_run: bool) -> Iterator[Pruned]:
    """End every multipart upload that began before that Unix time and was not completed."""
    for bucket in gateway.buckets.values():
        try:
            stale = bucket.backend.stale_uploads(bucket.target, bucket.prefix, initiated_before)
        except BackendError as error:
            logger.exception("bucket %s could not be searched", bucket.name)
            yield Pruned(bucket.name, "", datetime.fromtimestamp(initiated_before, UTC), error.message)
            continue
        for upload in stale:
            if not _is_live(bucket, upload, initiated_before):
                yield _end(bucket, upload, is_dry_run=is_dry_run)
    if not is_dry_run:
        before = datetime.fromtimestamp(initiated_before, UTC)
        records.end_abandoned(before)


def _is_live(bucket: Bucket, upload: StaleUpload, since: float) -> bool:
    """Did a part arrive since then? Such an upload is old but goes on."""
    after = 0
    try:
        while True:
            page = bucket.backend.list_parts(upload.ref, after, _PAGE)
            if any(part.last_modified >= since for part in page.parts):
                return True
            if not page.is_truncated or page.next_part_number_marker <= after:
                return False
            after = page.next_part_number_marker
    except UploadNotFound:
        return False


def _end(bucket: Bucket, upload: StaleUpload, *, is_dry_run: bool) -> Pruned:
    key = upload.ref.key.removeprefix(bucket.prefix)
    pruned = Pruned(bucket.name, key, datetime.fromtimestamp(upload.initiated, UTC))
    if is_dry_run:
        return pruned
    try:
        bucket.backend.abort_multipart_upload(upload.ref)
    except UploadNotFound:
        pass  # completed or aborted since it was listed
    except BackendError as error:
        return Pruned(bucket.name, key, pruned.initiated, error.message)
    return pruned
