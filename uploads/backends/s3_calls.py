"""The requests that serve uploads as calls, and what their answers say.

Source: S3 API reference, PutObject, CreateMultipartUpload, UploadPart, CompleteMultipartUpload,
AbortMultipartUpload, ListParts, HeadBucket.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256

from uploads.s3.headers import ChecksumAlgorithm, Conditions, MultipartChecksum

from .base import MultipartRef, ObjectWrite, StoredObject, StoredPart
from .errors import BackendUnavailable
from .s3_answer import Answer
from .s3_documents import xml_fields
from .s3_head import UNSIGNED_PAYLOAD, UNSIGNED_TRAILER, Call
from .s3_headers import (
    checksum_characters,
    checksum_header,
    checksum_headers,
    checksum_type,
    checksums_in_headers,
    condition_headers,
    metadata_headers,
)
from .s3_trailer import encoded_length


def put_call(write: ObjectWrite, length: int) -> Call:
    """PutObject. One with conditions is not repeatable: it can fail because of its own first try."""
    headers = metadata_headers(write.metadata)
    is_conditional = bool(write.conditions)
    if is_conditional:
        headers |= condition_headers(write.conditions)
    if write.checksums:
        headers |= checksum_headers(write.checksums)
    return Call(
        "PutObject",
        "PUT",
        write.bucket,
        write.key,
        headers,
        length,
        is_repeatable=not is_conditional,
    )


def create_call(write: ObjectWrite, checksum: MultipartChecksum | None) -> Call:
    """CreateMultipartUpload. Repeated, it leaves an upload that nobody uses and prune_uploads removes."""
    headers = metadata_headers(write.metadata)
    if checksum is not None:
        headers["x-amz-checksum-algorithm"] = checksum.algorithm.upper()
        headers["x-amz-checksum-type"] = checksum.type
    return Call("CreateMultipartUpload", "POST", write.bucket, write.key, headers, 0, (("uploads", ""),))


def part_call(
    upload: MultipartRef, part_number: int, length: int, checksums: Mapping[ChecksumAlgorithm, bytes]
) -> Call:
    """UploadPart with the checksums that are known before the body."""
    return _part_call(upload, part_number, length, checksum_headers(checksums), UNSIGNED_PAYLOAD)


def trailing_part_call(
    upload: MultipartRef, part_number: int, length: int, algorithm: ChecksumAlgorithm
) -> Call:
    """UploadPart whose body of ``length`` bytes goes framed, with its checksum in a trailer."""
    name = checksum_header(algorithm)
    headers = {
        "content-encoding": "aws-chunked",
        "x-amz-decoded-content-length": str(length),
        "x-amz-trailer": name,
    }
    framed = encoded_length(length, len(name) + len(":") + checksum_characters(algorithm))
    return _part_call(upload, part_number, framed, headers, UNSIGNED_TRAILER)


def _part_call(
    upload: MultipartRef, part_number: int, length: int, headers: Mapping[str, str], payload_hash: str
) -> Call:
    query = (("partNumber", str(part_number)), ("uploadId", upload.backend_id))
    return Call("UploadPart", "PUT", upload.bucket, upload.key, headers, length, query, payload_hash)


def complete_call(
    upload: MultipartRef,
    document: bytes,
    conditions: Conditions,
    full_checksum: Mapping[ChecksumAlgorithm, str],
) -> Call:
    """CompleteMultipartUpload. Some upstreams send spaces while they put the parts together."""
    headers = condition_headers(conditions)
    headers |= {checksum_header(algorithm): text for algorithm, text in full_checksum.items()}
    if upload.checksum is not None:
        headers["x-amz-checksum-type"] = upload.checksum.type
    return Call(
        "CompleteMultipartUpload",
        "POST",
        upload.bucket,
        upload.key,
        headers,
        len(document),
        (("uploadId", upload.backend_id),),
        sha256(document).hexdigest(),
        is_patient=True,
    )


def abort_call(upload: MultipartRef) -> Call:
    """AbortMultipartUpload."""
    query = (("uploadId", upload.backend_id),)
    return Call("AbortMultipartUpload", "DELETE", upload.bucket, upload.key, {}, 0, query)


def list_call(upload: MultipartRef, after: int, limit: int) -> Call:
    """ListParts: parts with a number greater than ``after``, at most ``limit``."""
    query = (("max-parts", str(limit)), ("part-number-marker", str(after)), ("uploadId", upload.backend_id))
    return Call("ListParts", "GET", upload.bucket, upload.key, {}, 0, query)


def head_bucket_call(bucket: str) -> Call:
    """HeadBucket."""
    return Call("HeadBucket", "HEAD", bucket, "", {}, 0)


def stored_object(call: Call, answer: Answer) -> StoredObject:
    """What PutObject was answered. Raises BackendUnavailable without an ETag, as all here."""
    checksums = checksums_in_headers(answer.headers)
    return StoredObject(
        etag=_etag(call, answer),
        size=call.length,
        checksums=checksums,
        checksum_type=checksum_type(answer.headers.get("x-amz-checksum-type"), checksums),
        version_id=answer.headers.get("x-amz-version-id"),
    )


def stored_part(part_number: int, size: int, call: Call, answer: Answer) -> StoredPart:
    """What UploadPart was answered."""
    return StoredPart(part_number, _etag(call, answer), size, checksums=checksums_in_headers(answer.headers))


def upload_id(call: Call, answer: Answer) -> str:
    """What CreateMultipartUpload was answered."""
    return _present(call, answer, "UploadId", xml_fields(answer.body).get("UploadId"))


def _etag(call: Call, answer: Answer) -> str:
    return _present(call, answer, "ETag", answer.headers.get("etag")).strip('"')


def _present(call: Call, answer: Answer, name: str, value: str | None) -> str:
    if not value:
        raise BackendUnavailable(detail=f"{call.operation}: answered {answer.status} without {name}")
    return value
