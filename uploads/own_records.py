"""A principal's own records: receipts of objects, and multipart uploads in progress."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Q

from authz.identity import Identity
from uploads.backends.base import StoredObject
from uploads.models import UploadRecord
from uploads.upload_id import UploadOwner, digest

State = UploadRecord.State
Method = UploadRecord.Method


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
