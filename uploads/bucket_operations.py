"""What clients ask of a bucket before they upload; nothing more."""

from __future__ import annotations

from django.http import HttpResponse

from authz.errors import AccessDenied
from uploads import own_records, responses
from uploads.call import Call
from uploads.s3 import xml
from uploads.s3.errors import BucketAlreadyOwnedByYou

_MAX_UPLOADS = 1000


def head_bucket(call: Call) -> HttpResponse:
    """Raises NoSuchBucket. The region is the default one; a signature may be for any."""
    call.gateway.bucket(call.s3.address.bucket)
    response = responses.empty()
    response["x-amz-bucket-region"] = "us-east-1"
    return response


def get_bucket_location(call: Call) -> HttpResponse:
    """Raises NoSuchBucket. An empty LocationConstraint is us-east-1."""
    call.gateway.bucket(call.s3.address.bucket)
    return responses.document(xml.location_constraint(None))


def create_bucket(call: Call) -> HttpResponse:
    """Never creates one; tells the caller whether it may upload there already."""
    if call.s3.address.bucket in call.gateway.buckets:
        raise BucketAlreadyOwnedByYou
    raise AccessDenied(
        "Access Denied: buckets of this gateway are made by its operator.", reason="no buckets"
    )


def list_multipart_uploads(call: Call) -> HttpResponse:
    """The caller's own uploads in progress, and nobody else's."""
    query = call.s3.query
    bucket = call.bucket
    limit = min(int(query.get("max-uploads") or _MAX_UPLOADS), _MAX_UPLOADS)
    found = own_records.uploads_in_progress(
        call.authenticated.identity,
        bucket.name,
        prefix=query.get("prefix", ""),
        key_marker=query.get("key-marker", ""),
        upload_id_marker=query.get("upload-id-marker", ""),
        limit=limit + 1,
    )
    page = found[:limit]
    uploads = [
        xml.UploadEntry(record.key, record.upload_id, record.started_at.timestamp(), record.principal)
        for record in page
    ]
    return responses.document(
        xml.list_multipart_uploads_result(
            bucket=bucket.name,
            uploads=uploads,
            prefix=query.get("prefix", ""),
            key_marker=query.get("key-marker", ""),
            upload_id_marker=query.get("upload-id-marker", ""),
            max_uploads=limit,
            is_truncated=len(found) > limit,
            encoding_type=query.get("encoding-type"),
        )
    )
