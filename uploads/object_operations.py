"""The operations on an object, each from a call to its answer."""

from __future__ import annotations

import time
from urllib.parse import quote

from django.http import HttpResponse
from django.utils.http import http_date

from uploads import multipart, own_records, pipeline, responses
from uploads.call import Call
from uploads.form_object import form_object
from uploads.s3 import xml
from uploads.s3.errors import NoSuchKey
from uploads.s3.post_form import FormAnswer


def put_object(call: Call) -> HttpResponse:
    stored = pipeline.put_object(call.bucket, call.s3, call.authenticated, call.source)
    return responses.stored_object(stored)


def post_object(call: Call) -> HttpResponse:
    assert call.form is not None
    bucket = call.bucket
    form = form_object(call.fields, bucket=bucket.name, now=time.time())
    stored = pipeline.post_object(bucket, form, call.authenticated.identity, call.form.file_source())
    location = f"{_base_url(call)}/{quote(bucket.name)}/{quote(form.key)}"
    return _form_answer(form.answer, location, bucket.name, form.key, stored.etag)


def create_multipart_upload(call: Call) -> HttpResponse:
    bucket = call.bucket
    upload_id = multipart.create(call.gateway, bucket, call.s3, call.authenticated)
    response = responses.document(
        xml.initiate_multipart_upload_result(bucket=bucket.name, key=call.s3.key, upload_id=upload_id)
    )
    for name in ("x-amz-checksum-algorithm", "x-amz-checksum-type"):
        if name in call.s3.headers:
            response[name] = call.s3.headers[name]
    return response


def upload_part(call: Call) -> HttpResponse:
    part = multipart.upload_part(call.gateway, call.bucket, call.s3, call.authenticated, call.source)
    return responses.stored_part(part)


def complete_multipart_upload(call: Call) -> HttpResponse:
    bucket = call.bucket
    stored = multipart.complete(call.gateway, bucket, call.s3, call.authenticated, call.source)
    response = responses.document(
        xml.complete_multipart_upload_result(
            bucket=bucket.name,
            key=call.s3.key,
            location=f"{_base_url(call)}/{quote(bucket.name)}/{quote(call.s3.key)}",
            etag=stored.etag,
            checksums=stored.checksums,
            checksum_type=stored.checksum_type,
        )
    )
    if stored.version_id:
        response["x-amz-version-id"] = stored.version_id
    return response


def abort_multipart_upload(call: Call) -> HttpResponse:
    multipart.abort(call.gateway, call.bucket, call.s3, call.authenticated.identity)
    return responses.empty(204)


def list_parts(call: Call) -> HttpResponse:
    identity, bucket, query = call.authenticated.identity, call.bucket, call.s3.query
    opened, page = multipart.list_parts(call.gateway, bucket, call.s3, identity)
    return responses.document(
        xml.list_parts_result(
            bucket=bucket.name,
            key=call.s3.key,
            upload_id=opened.upload_id,
            parts=page.parts,
            part_number_marker=int(query.get("part-number-marker") or 0),
            next_part_number_marker=page.next_part_number_marker,
            max_parts=int(query.get("max-parts") or 1000),
            is_truncated=page.is_truncated,
            principal=identity.principal,
            checksum=opened.ticket.checksum,
        )
    )


def head_object(call: Call) -> HttpResponse:
    """A receipt: only of what this principal uploaded through this gateway. Raises NoSuchKey."""
    version_id = call.s3.query.get("versionId")
    record = own_records.receipt(call.authenticated.identity, call.bucket.name, call.s3.key, version_id)
    if record is None:
        raise NoSuchKey
    response = responses.stored_object(own_records.as_stored_object(record))
    response["Content-Length"] = str(record.size)
    response["Content-Type"] = record.content_type or "binary/octet-stream"
    assert record.finished_at is not None
    response["Last-Modified"] = http_date(record.finished_at.timestamp())
    return response


def _form_answer(answer: FormAnswer, location: str, bucket: str, key: str, etag: str) -> HttpResponse:
    if answer.redirect is not None:
        response = responses.empty(303)
        response["Location"] = answer.redirect_to(bucket=bucket, key=key, etag=etag)
    elif answer.status == 201:
        response = responses.document(
            xml.post_response(location=location, bucket=bucket, key=key, etag=etag), status=201
        )
    else:
        response = responses.empty(answer.status)
    response["ETag"] = f'"{etag}"'
    if "Location" not in response:
        response["Location"] = location
    return response


def _base_url(call: Call) -> str:
    return f"{call.parts.scheme}://{call.parts.host}"
