"""The answers of the S3 API, from what the pipeline returns."""

from __future__ import annotations

from collections.abc import Mapping
from http.cookies import SimpleCookie
from typing import Final

from django.http import HttpResponse
from django.http.response import ResponseHeaders

from tracing_app.api import trace_id
from uploads.backends.base import StoredObject, StoredPart
from uploads.failures import Failure
from uploads.s3 import xml
from uploads.s3.headers import ChecksumAlgorithm

XML = "application/xml"
_EMPTY: Final[Mapping[str, object]] = HttpResponse(content_type=XML).__dict__


def document(body: bytes, status: int = 200) -> HttpResponse:
    """An XML answer."""
    return HttpResponse(body, status=status, content_type=XML)


def empty(status: int = 200) -> HttpResponse:
    """An answer without a body or a Content-Type.

    It is one that was made before, but for what may change: Django works out a type and a charset each time,
    only to have them taken away again.
    """
    response: HttpResponse = HttpResponse.__new__(HttpResponse)
    response.__dict__ |= _EMPTY
    response.headers = ResponseHeaders({})
    response.cookies = SimpleCookie()
    response._container = [b""]  # type: ignore[attr-defined]
    response._resource_closers = []  # type: ignore[attr-defined]
    response.status_code = status
    return response


def stored_object(stored: StoredObject) -> HttpResponse:
    """PutObject, and the head of a receipt: ETag, checksums, version."""
    response = empty()
    response["ETag"] = f'"{stored.etag}"'
    _add_checksums(response, stored.checksums)
    if stored.checksums and stored.checksum_type:
        response["x-amz-checksum-type"] = stored.checksum_type
    if stored.version_id:
        response["x-amz-version-id"] = stored.version_id
    return response


def stored_part(part: StoredPart) -> HttpResponse:
    """UploadPart: ETag and checksums."""
    response = empty()
    response["ETag"] = f'"{part.etag}"'
    _add_checksums(response, part.checksums)
    return response


def failure(problem: Failure, *, resource: str, is_head: bool) -> HttpResponse:
    """An S3 error document; HEAD answers have no body."""
    if is_head:
        response = empty(problem.status)
    else:
        response = document(
            xml.error(problem.code, problem.message, resource, trace_id()), status=problem.status
        )
    for name, value in problem.headers.items():
        response[name] = value
    return response


def _add_checksums(response: HttpResponse, checksums: Mapping[ChecksumAlgorithm, str]) -> None:
    for algorithm, value in checksums.items():
        response[f"x-amz-checksum-{algorithm}"] = value
