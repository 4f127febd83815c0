"""Finding upload records."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet

from uploads.models import UploadRecord
from uploads.upload_id import digest

_ID = re.compile("[0-9a-fA-F]{32}")
# Sealed ids are Base64 of well over a hundred bytes; few keys look like that, and are searched for, too.
_SEALED_ID = re.compile("[A-Za-z0-9_-]{100,4096}={0,2}")


@dataclass(frozen=True, slots=True)
class UploadQuery:
    """What to look for; None and "" ask for nothing.

    ``text`` is whatever somebody has in hand: part of a key, or a whole request id, upload id (as the client
    knows it, or its digest), ETag or principal. ``upload`` is an upload id or its digest. ``since`` and
    ``until`` (not included) are of when the upload began.
    """

    text: str = ""
    request_id: str = ""
    upload: str = ""
    principal: str = ""
    bucket: str = ""
    key_prefix: str = ""
    state: str = ""
    method: str = ""
    error: str = ""
    since: datetime | None = None
    until: datetime | None = None


def find_uploads(query: UploadQuery) -> QuerySet[UploadRecord]:
    """Records that match, the newest first."""
    conditions = {
        "request_id": query.request_id.lower(),
        "upload_digest": digest_of(query.upload) if query.upload else "",
        "principal": query.principal,
        "bucket": query.bucket,
        "key__startswith": query.key_prefix,
        "state": query.state,
        "method": query.method,
        "error_code": query.error,
        "started_at__gte": query.since,
        "started_at__lt": query.until,
    }
    asked = {name: value for name, value in conditions.items() if value not in (None, "")}
    found = UploadRecord.objects.filter(**asked)
    text = query.text.strip()
    return _with_text(found, text) if text else found


def is_id(text: str) -> bool:
    """Could it be a request id, or the digest of an upload id?"""
    return bool(_ID.fullmatch(text.strip()))


def digest_of(upload: str) -> str:
    """The digest of an upload, by its id as the client knows it or by that digest itself."""
    return upload.lower() if _ID.fullmatch(upload) else digest(upload)


def _with_text(records: QuerySet[UploadRecord], text: str) -> QuerySet[UploadRecord]:
    """What looks like an id is looked up as one, by its index; only other terms are searched for."""
    if _ID.fullmatch(text):
        named = records.filter(Q(request_id=text.lower()) | Q(upload_digest=text.lower()))
        if named.exists():
            return named
    elif _SEALED_ID.fullmatch(text):
        named = records.filter(upload_digest=digest(text.rstrip("=")))
        if named.exists():
            return named
    etag = text.strip('"')
    return records.filter(Q(key__icontains=text) | Q(etag=etag) | Q(principal=text))
