"""Multipart uploads over many requests: the sealed upload id carries what the next request must know."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

from authz.identity import Authenticated, Identity
from tracing_app.api import current_traceparent, stage, upload_hash
from uploads import own_records, records
from uploads.backends.base import (
    CompletedPart,
    MultipartRef,
    ObjectWrite,
    PartPage,
    StoredObject,
    StoredPart,
)
from uploads.backends.errors import PartInvalid, UploadNotFound
from uploads.body.stream import ByteSource
from uploads.body.verified import VerifiedBody
from uploads.flow import told_on
from uploads.gateway import Bucket, Gateway
from uploads.pipeline import admit, claim_of, read_document, verified_checksums
from uploads.progress.flows import FLOWS
from uploads.s3.addressing import apply_prefix
from uploads.s3.errors import (
    EntityTooLarge,
    EntityTooSmall,
    InvalidArgument,
    InvalidPart,
    InvalidRequest,
    QuotaExceeded,
)
from uploads.s3.headers import (
    ChecksumAlgorithm,
    conditions,
    expected_digests,
    full_object_checksums,
    multipart_checksum,
    multipart_object_size,
    object_metadata,
)
from uploads.s3.part_list import MAX_DOCUMENT_BYTES, parse_complete_multipart_upload
from uploads.s3.request import S3Request
from uploads.upload_id import UploadOwner, UploadTicket

MIN_PART_BYTES = 5 * 1024 * 1024
_PAGE = 1000
_MD5_ETAG = re.compile(r"[0-9a-f]{32}")
_MULTIPART_ETAG = re.compile(r"[0-9a-f]{32}-[0-9]+")


@dataclass(frozen=True, slots=True)
class OpenedUpload:
    """A multipart upload whose id was opened for its owner."""

    upload_id: str
    owner: UploadOwner
    ticket: UploadTicket
    ref: MultipartRef


def open_upload(gateway: Gateway, bucket: Bucket, s3: S3Request, identity: Identity) -> OpenedUpload:
    """Raises NoSuchUpload for an id that is not this principal's, for this bucket and key."""
    upload_id = s3.query["uploadId"]
    owner = UploadOwner(identity.principal, bucket.name, s3.key)
    ticket = gateway.sealer.open(upload_id, owner)
    ref = MultipartRef(bucket.target, apply_prefix(bucket.prefix, s3.key), ticket.backend_id, ticket.checksum)
    return OpenedUpload(upload_id, owner, ticket, ref)


def create(gateway: Gateway, bucket: Bucket, s3: S3Request, authenticated: Authenticated) -> str:
    """CreateMultipartUpload; returns the sealed upload id."""
    metadata = object_metadata(s3.headers, authenticated.header_names)
    admit(bucket, s3.key, metadata, None)
    checksum = multipart_checksum(s3.headers)
    write = ObjectWrite(bucket.target, apply_prefix(bucket.prefix, s3.key), metadata, conditions(s3.headers))
    identity = authenticated.identity
    traceparent = current_traceparent()
    with stage("upload.create_multipart", {"aws.s3.bucket": bucket.name}) as current:
        backend_id = bucket.backend.create_multipart_upload(write, checksum)
        owner = UploadOwner(identity.principal, bucket.name, s3.key)
        upload_id = gateway.sealer.seal(UploadTicket(backend_id, time.time(), checksum, traceparent), owner)
        current.set("aws.s3.upload_id", upload_hash(upload_id))
        try:
            records.begin(
                identity,
                bucket.name,
                s3.key,
                records.Method.MULTIPART,
                content_type=metadata.content_type,
                upload_id=upload_id,
                claim=claim_of(bucket, identity, 0),
            )
        except QuotaExceeded:
            bucket.backend.abort_multipart_upload(
                MultipartRef(bucket.target, write.key, backend_id, checksum)
            )
            raise
        return upload_id


def upload_part(
    gateway: Gateway, bucket: Bucket, s3: S3Request, authenticated: Authenticated, source: ByteSource
) -> StoredPart:
    """UploadPart. Raises S3Error, BackendError; then no such part is left at the backend."""
    opened = open_upload(gateway, bucket, s3, authenticated.identity)
    number = int(s3.query["partNumber"])
    if number > bucket.limits.max_parts:
        raise InvalidArgument(f"This bucket takes at most {bucket.limits.max_parts} parts.")
    if (s3.payload_length or 0) > bucket.limits.max_part_bytes:
        raise EntityTooLarge(f"A part of this bucket has at most {bucket.limits.max_part_bytes} bytes.")
    expected = expected_digests(s3.headers)
    reserved: AbstractContextManager[None] = nullcontext()
    claim = claim_of(bucket, authenticated.identity, s3.payload_length)
    if claim is not None:
        reserved = claim.part(own_records.multipart(opened.owner, opened.upload_id), number)
        source = claim.guard(source)
    body = VerifiedBody(
        source,
        proof=authenticated.proof,
        expected=expected,
        wire_length=s3.content_length,
        payload_length=s3.payload_length,
        max_bytes=bucket.limits.max_part_bytes,
        is_end_certain=True,
    )
    with stage("upload.part", {"aws.s3.bucket": bucket.name}) as current:
        current.set("aws.s3.part_number", number)
        upload = upload_hash(opened.upload_id)
        current.set("aws.s3.upload_id", upload)
        with reserved, FLOWS.part(upload, number, body), told_on(current, body) as flowing:
            part = bucket.backend.upload_part(opened.ref, number, flowing, expected.checksums)
    wanted = {opened.ticket.checksum.algorithm} if opened.ticket.checksum else set()
    handed_on = {a: text for a, text in part.checksums.items() if a in wanted or a not in body.digests}
    checksums = {**handed_on, **verified_checksums(body, expected)}
    return StoredPart(number, part.etag, part.size, part.last_modified, checksums)


def complete(
    gateway: Gateway, bucket: Bucket, s3: S3Request, authenticated: Authenticated, source: ByteSource
) -> StoredObject:
    """CompleteMultipartUpload; repeated after success it answers the same again."""
    opened = open_upload(gateway, bucket, s3, authenticated.identity)
    document = read_document(s3, authenticated, source, max_bytes=MAX_DOCUMENT_BYTES)
    wanted = [
        CompletedPart(part.part_number, part.etag, part.checksums)
        for part in parse_complete_multipart_upload(document)
    ]
    attributes = {"aws.s3.bucket": bucket.name, "aws.s3.upload_id": upload_hash(opened.upload_id)}
    with stage("upload.complete_multipart", attributes) as current:
        try:
            stored_parts = _all_parts(bucket, opened.ref)
            size = _check_parts(bucket, wanted, stored_parts, s3.headers)
            stored = bucket.backend.complete_multipart_upload(
                opened.ref,
                wanted,
                conditions(s3.headers),
                _claimed_checksum(opened.ref, s3.headers, len(wanted)),
            )
        except (UploadNotFound, InvalidPart, PartInvalid):
            # Parts go before the upload does, where another request completes it at this moment.
            if (before := _completed_before(bucket, opened, wanted)) is None:
                raise
            return before
        current.event("object.committed")
        stored = StoredObject(stored.etag, size, stored.checksums, stored.checksum_type, stored.version_id)
        current.set("mizuchi.upload.bytes", size)
        record = own_records.multipart(opened.owner, opened.upload_id)
        if record is not None:
            records.stored(record, stored, parts=len(wanted), webhooks=bucket.webhooks)
        return stored


def abort(gateway: Gateway, bucket: Bucket, s3: S3Request, identity: Identity) -> None:
    """AbortMultipartUpload. Raises NoSuchUpload, UploadNotFound."""
    opened = open_upload(gateway, bucket, s3, identity)
    attributes = {"aws.s3.bucket": bucket.name, "aws.s3.upload_id": upload_hash(opened.upload_id)}
    with stage("upload.abort_multipart", attributes):
        record = own_records.multipart(opened.owner, opened.upload_id)
        # Some S3 services say yes to the abortion of what is over: a STORED record must not become ABORTED.
        if record is not None and record.state in (records.State.STORED, records.State.ABORTED):
            raise UploadNotFound
        bucket.backend.abort_multipart_upload(opened.ref)
        if record is not None:
            records.aborted(record)


def list_parts(
    gateway: Gateway, bucket: Bucket, s3: S3Request, identity: Identity
) -> tuple[OpenedUpload, PartPage]:
    """ListParts, one page."""
    opened = open_upload(gateway, bucket, s3, identity)
    after = int(s3.query.get("part-number-marker") or 0)
    limit = min(int(s3.query.get("max-parts") or _PAGE), _PAGE)
    return opened, bucket.backend.list_parts(opened.ref, after, limit)


def _all_parts(bucket: Bucket, ref: MultipartRef) -> dict[tuple[int, str], StoredPart]:
    """The parts by number and ETag: some storages keep a part that was replaced until the upload ends, and
    list it in any order with the one that replaced it."""
    parts: dict[tuple[int, str], StoredPart] = {}
    after = 0
    while True:
        page = bucket.backend.list_parts(ref, after, _PAGE)
        parts.update(((part.part_number, part.etag), part) for part in page.parts)
        if not page.is_truncated or page.next_part_number_marker <= after:
            return parts
        after = page.next_part_number_marker


def _check_parts(
    bucket: Bucket,
    wanted: Sequence[CompletedPart],
    stored: Mapping[tuple[int, str], StoredPart],
    headers: Mapping[str, str],
) -> int:
    """The rules for parts, before the backend is asked; returns the size of the object in bytes."""
    if len(wanted) > bucket.limits.max_parts:
        raise InvalidRequest(f"This bucket takes at most {bucket.limits.max_parts} parts.")
    sizes: list[int] = []
    for part in wanted:
        found = stored.get((part.part_number, part.etag))
        if found is None:
            raise InvalidPart(f"Part {part.part_number} could not be found, or its ETag did not match.")
        sizes.append(found.size)
    if any(size < MIN_PART_BYTES for size in sizes[:-1]):
        raise EntityTooSmall
    size = sum(sizes)
    if size > bucket.limits.max_object_bytes:
        raise EntityTooLarge
    promised = multipart_object_size(headers)
    if promised is not None and promised != size:
        raise InvalidRequest("x-amz-mp-object-size differs from the size of the parts together.")
    return size


def _claimed_checksum(
    ref: MultipartRef, headers: Mapping[str, str], parts: int
) -> Mapping[ChecksumAlgorithm, str]:
    """The checksum that the client says the whole object has, as S3 writes it. A composite one ends in the
    number of parts; some clients (minio-go) leave that out."""
    claimed = full_object_checksums(headers)
    if ref.checksum is None or ref.checksum.type != "COMPOSITE":
        return claimed
    return {a: text if "-" in text else f"{text}-{parts}" for a, text in claimed.items()}


def _completed_before(
    bucket: Bucket, opened: OpenedUpload, wanted: Sequence[CompletedPart]
) -> StoredObject | None:
    """The answer of the first CompleteMultipartUpload, when this one repeats it: from the record, or from
    the backend when nobody lived to write there that it is stored. None without one of these parts."""
    record = own_records.multipart(opened.owner, opened.upload_id)
    if record is not None and record.state == records.State.RECEIVING:
        found = bucket.backend.find_completed(opened.ref, wanted)
        if found is not None:
            records.stored(record, found, parts=len(wanted), webhooks=bucket.webhooks)
            return found
    if record is None or record.state != records.State.STORED or not _is_made_of(record.etag, wanted):
        return None
    return own_records.as_stored_object(record)


def _is_made_of(etag: str, parts: Sequence[CompletedPart]) -> bool:
    """False when an ETag of S3's multipart form (MD5 of the parts' MD5s, ``-N``) is that of other parts."""
    if not _MULTIPART_ETAG.fullmatch(etag) or not all(_MD5_ETAG.fullmatch(part.etag) for part in parts):
        return True
    digests = b"".join(bytes.fromhex(part.etag) for part in parts)
    return etag == f"{hashlib.md5(digests, usedforsecurity=False).hexdigest()}-{len(parts)}"
