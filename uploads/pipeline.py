"""One object, one request: from a valid, authenticated, allowed request to a stored object and its record."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from authz.identity import Authenticated, Identity
from authz.sigv4.proof import UnsignedPayload
from tracing_app.api import FixedAttributes, stage
from uploads import records
from uploads.backends.base import ObjectWrite, StoredObject
from uploads.body.checksums import encode
from uploads.body.stream import ByteSource
from uploads.body.verified import VerifiedBody
from uploads.flow import told_on
from uploads.form_object import FormObject
from uploads.gateway import Bucket
from uploads.progress.flows import FLOWS
from uploads.quotas.claim import Claim
from uploads.s3.addressing import apply_prefix
from uploads.s3.errors import EntityTooLarge, MaxMessageLengthExceeded
from uploads.s3.headers import (
    ChecksumAlgorithm,
    ExpectedDigests,
    ObjectMetadata,
    conditions,
    document_digests,
    expected_digests,
    object_metadata,
)
from uploads.s3.request import S3Request, check_limits


def put_object(
    bucket: Bucket, s3: S3Request, authenticated: Authenticated, source: ByteSource
) -> StoredObject:
    """PutObject. Raises S3Error, BackendError, DatabaseError; then nothing is visible at the backend."""
    key = s3.key
    metadata = object_metadata(s3.headers, authenticated.header_names)
    admit(bucket, key, metadata, s3.payload_length)
    expected = expected_digests(s3.headers)
    claim = claim_of(bucket, authenticated.identity, s3.payload_length)
    if claim is not None:
        source = claim.guard(source)
    write = ObjectWrite(
        bucket.target, apply_prefix(bucket.prefix, key), metadata, conditions(s3.headers), expected.checksums
    )
    body = VerifiedBody(
        source,
        proof=authenticated.proof,
        expected=expected,
        wire_length=s3.content_length,
        payload_length=s3.payload_length,
        max_bytes=bucket.limits.max_object_bytes,
        is_end_certain=True,
    )
    identity = authenticated.identity
    return _store(bucket, key, identity, records.Method.SIMPLE, write, body, expected, claim)


def post_object(bucket: Bucket, form: FormObject, identity: Identity, source: ByteSource) -> StoredObject:
    """POST Object: the file of a form whose policy was found to hold. Raises as ``put_object`` does."""
    admit(bucket, form.key, form.metadata, None)
    max_bytes = bucket.limits.max_object_bytes
    if form.length_range is not None:
        max_bytes = min(max_bytes, form.length_range.maximum)
        source = form.length_range.guard(source)
    claim = claim_of(bucket, identity, None)
    if claim is not None:
        source = claim.guard(source)
    write = ObjectWrite(
        bucket.target,
        apply_prefix(bucket.prefix, form.key),
        form.metadata,
        checksums=form.expected.checksums,
    )
    body = VerifiedBody(
        source,
        proof=UnsignedPayload(),
        expected=form.expected,
        wire_length=None,
        payload_length=None,
        max_bytes=max_bytes,
        is_end_certain=True,
    )
    return _store(bucket, form.key, identity, records.Method.FORM, write, body, form.expected, claim)


def claim_of(bucket: Bucket, identity: Identity, payload_length: int | None) -> Claim | None:
    """What a body of that length needs of the bucket's quota; None when there is no quota."""
    return None if bucket.quota is None else Claim(bucket.quota, bucket.name, identity, payload_length)


def admit(bucket: Bucket, key: str, metadata: ObjectMetadata, payload_length: int | None) -> None:
    """The bucket's limits, as far as the head of the request tells. Raises S3Error."""
    limits = bucket.limits
    check_limits(
        key=key,
        content_type=metadata.content_type,
        payload_length=payload_length,
        max_object_bytes=limits.max_object_bytes,
        content_types=limits.content_types,
        key_pattern=bucket.key_pattern,
    )


def read_document(
    s3: S3Request, authenticated: Authenticated, source: ByteSource, *, max_bytes: int
) -> bytes:
    """A small request body (an XML document), verified like any other. Raises S3Error."""
    try:
        body = VerifiedBody(
            source,
            proof=authenticated.proof,
            expected=document_digests(s3.headers),
            wire_length=s3.content_length,
            payload_length=s3.payload_length,
            max_bytes=max_bytes,
        )
        return b"".join(bytes(block) for block in body)
    except EntityTooLarge:
        raise MaxMessageLengthExceeded from None


def verified_checksums(body: VerifiedBody, expected: ExpectedDigests) -> Mapping[ChecksumAlgorithm, str]:
    """The checksums the client gave in header or trailer, which by now are known to be right."""
    given = list(expected.checksums)
    if expected.trailer is not None:
        given.append(expected.trailer)
    return {algorithm: encode(body.digests[algorithm]) for algorithm in given}


@lru_cache(maxsize=1024)
def _upload_of(bucket: str, method: records.Method) -> FixedAttributes:
    return FixedAttributes({"aws.s3.bucket": bucket, "mizuchi.upload.method": method})


def _store(
    bucket: Bucket,
    key: str,
    identity: Identity,
    method: records.Method,
    write: ObjectWrite,
    body: VerifiedBody,
    expected: ExpectedDigests,
    claim: Claim | None,
) -> StoredObject:
    with stage("upload.put_object", _upload_of(bucket.name, method)) as current:
        record = records.open_record(
            identity,
            bucket.name,
            key,
            method,
            content_type=write.metadata.content_type,
            payload_length=body.length,
            claim=claim,
        )
        failing = records.failing(record, body)
        with failing, FLOWS.object(record, body), told_on(current, body) as flowing:
            stored = bucket.backend.put_object(write, flowing)
        # What was hashed without the client asking (a signed payload's SHA-256) is no checksum of the object.
        handed_on = {a: text for a, text in stored.checksums.items() if a not in body.digests}
        checksums = {**handed_on, **verified_checksums(body, expected)}
        if checksums or stored.checksums:
            kind = "FULL_OBJECT" if checksums else stored.checksum_type
            stored = StoredObject(stored.etag, stored.size, checksums, kind, stored.version_id)
        records.stored(record, stored, body, webhooks=bucket.webhooks)
        return stored
