"""Requests to the S3 API, signed for staff who upload in the browser: each for one operation on one object.

The browser sends them as they are to this gateway's S3 path, where they are authenticated, asked of the
bucket's policy, recorded and traced like anybody's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from authz.sigv4.presigning import presigned_target
from authz.sts.staff import LIFETIME_SECONDS, StaffSessions
from uploads.s3.operations import Operation

DEFAULT_CONTENT_TYPE = "application/octet-stream"

Query = list[tuple[str, str]]
Headers = dict[str, str]


@dataclass(frozen=True, slots=True)
class ObjectRequest:
    """What is asked to be signed. Of the optional fields, those that the operation has are there."""

    operation: Operation
    bucket: str
    key: str
    upload_id: str = ""
    part_number: int = 0
    part_number_marker: int = 0
    content_type: str = DEFAULT_CONTENT_TYPE
    checksum_sha256: str = ""


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """``target`` is path and query; ``headers`` must be sent with these values, beside ``Host``."""

    method: str
    target: str
    headers: Mapping[str, str]
    expires_at: datetime


def _put_object(asked: ObjectRequest) -> tuple[str, Query, Headers]:
    return "PUT", [], _content_type(asked) | _checksum(asked)


def _create(asked: ObjectRequest) -> tuple[str, Query, Headers]:
    return "POST", [("uploads", "")], _content_type(asked) | {"x-amz-checksum-algorithm": "SHA256"}


def _part(asked: ObjectRequest) -> tuple[str, Query, Headers]:
    return "PUT", [("partNumber", str(asked.part_number)), *_upload(asked)], _checksum(asked)


def _list_parts(asked: ObjectRequest) -> tuple[str, Query, Headers]:
    return "GET", [("part-number-marker", str(asked.part_number_marker)), *_upload(asked)], {}


def _complete(asked: ObjectRequest) -> tuple[str, Query, Headers]:
    return "POST", _upload(asked), {}


def _abort(asked: ObjectRequest) -> tuple[str, Query, Headers]:
    return "DELETE", _upload(asked), {}


def _upload(asked: ObjectRequest) -> Query:
    return [("uploadId", asked.upload_id)]


def _content_type(asked: ObjectRequest) -> Headers:
    return {"content-type": asked.content_type}


def _checksum(asked: ObjectRequest) -> Headers:
    return {"x-amz-checksum-sha256": asked.checksum_sha256}


_FORMS: Mapping[Operation, Callable[[ObjectRequest], tuple[str, Query, Headers]]] = {
    Operation.PUT_OBJECT: _put_object,
    Operation.CREATE_MULTIPART_UPLOAD: _create,
    Operation.UPLOAD_PART: _part,
    Operation.LIST_PARTS: _list_parts,
    Operation.COMPLETE_MULTIPART_UPLOAD: _complete,
    Operation.ABORT_MULTIPART_UPLOAD: _abort,
}
OPERATIONS = tuple(operation.value for operation in _FORMS)
"""What can be signed: uploading, and nothing else."""


def sign(asked: ObjectRequest, *, username: str, host: str, sessions: StaffSessions) -> SignedRequest:
    """``asked`` for the user of that name, good for some minutes. ``host`` is the gateway's authority as the
    browser sees it, since it is signed."""
    method, query, headers = _FORMS[asked.operation](asked)
    keys = sessions.issue(username, asked.bucket, asked.key)
    expires_at = datetime.fromtimestamp(keys.expires_at, UTC)
    target = presigned_target(
        method=method,
        path=f"/{asked.bucket}/{asked.key}".encode(),
        query=query,
        headers={"host": host, **headers},
        access_key=keys.access_key_id,
        secret_key=keys.secret_access_key,
        session_token=keys.session_token,
        expires_seconds=LIFETIME_SECONDS,
        now=datetime.fromtimestamp(keys.expires_at - LIFETIME_SECONDS, UTC),
    )
    return SignedRequest(method, target, headers, expires_at)
