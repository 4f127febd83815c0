"""Objects in an S3 service: bodies streamed straight through, multipart uploads those of the upstream.

Nothing is kept here, so the requests of one multipart upload may come through different workers.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain
from typing import IO

from uploads.body.stream import Body
from uploads.config import S3StorageConfig
from uploads.s3.headers import ChecksumAlgorithm, Conditions, MultipartChecksum

from .assembly import is_made_of
from .base import (
    Capability,
    CompletedPart,
    MultipartRef,
    ObjectWrite,
    PartPage,
    StaleUpload,
    StoredObject,
    StoredPart,
)
from .errors import BackendDenied, BackendError, BackendMisconfigured, Unsupported, UploadNotFound
from .s3_boto_client import ControlClient
from .s3_calls import (
    abort_call,
    complete_call,
    create_call,
    head_bucket_call,
    list_call,
    part_call,
    put_call,
    stored_object,
    stored_part,
    trailing_part_call,
    upload_id,
)
from .s3_channel import Block
from .s3_client import UpstreamClient
from .s3_control import (
    asking_boto,
    calling,
    completed_object,
    part_page,
    uploads_in_progress,
)
from .s3_documents import completion_document, listed_parts, xml_fields
from .s3_headers import checksum_header, checksum_text
from .s3_parts import Part, cut
from .s3_trailer import encode

logger = logging.getLogger("mizuchi.uploads.s3")

_SPOOL_MEMORY_BYTES = 8 * 1024 * 1024
_SEND_BYTES = 1024 * 1024
_CUSTOMER_KEY = "x-amz-server-side-encryption-customer-algorithm"


class S3Backend:
    """A ``Backend`` on an S3 service. ``list_parts`` needs its permission too: completion adds up sizes.

    Every header is passed on, so a service answers itself where it does not know one.
    """

    capabilities = frozenset(Capability)

    def __init__(self, config: S3StorageConfig) -> None:
        """Connects to nothing yet."""
        self.name = config.name
        self._control = ControlClient(config)
        self._upstream = UpstreamClient(config, self._control)

    def close(self) -> None:
        """Close idle connections."""
        self._upstream.close()
        self._control.close()

    # -- objects ------------------------------------------------------------------------------------------

    def put_object(self, write: ObjectWrite, body: Body) -> StoredObject:
        """Streams; the upstream has the whole Content-Length only once the body was verified.

        A body of unknown length goes as a multipart upload unless it ends within its first part.
        """
        if body.length is not None:
            return self._put(write, iter(body), body.length)
        parts = cut(body)
        first = next(parts)
        if first.is_last:
            return self._put(write, _slices(first.data), len(first.data))
        return self._put_in_parts(write, chain([first], parts))

    def _put(self, write: ObjectWrite, blocks: Iterator[Block], length: int) -> StoredObject:
        call = put_call(write, length)
        return stored_object(call, self._upstream.send(call, blocks))

    def _put_in_parts(self, write: ObjectWrite, parts: Iterator[Part]) -> StoredObject:
        upload = MultipartRef(write.bucket, write.key, self.create_multipart_upload(write, None))
        with self._aborted_unless_done(upload):
            sent = list(self._sent_parts(upload, parts))
            listed = [CompletedPart(part.part_number, part.etag) for part in sent]
            return self._complete(upload, listed, write.conditions, {}, sum(part.size for part in sent))

    def _sent_parts(self, upload: MultipartRef, parts: Iterator[Part]) -> Iterator[StoredPart]:
        for part in parts:
            yield self._put_part(upload, part.number, _slices(part.data), len(part.data), {})

    @contextmanager
    def _aborted_unless_done(self, upload: MultipartRef) -> Iterator[None]:
        try:
            yield
        except BaseException:
            try:
                self.abort_multipart_upload(upload)
            except BackendError as exc:
                # It stays for prune_uploads; the first failure is the one to tell.
                logger.warning("an upload could not be aborted: %s", exc.detail)
            raise

    # -- multipart uploads --------------------------------------------------------------------------------

    def create_multipart_upload(self, write: ObjectWrite, checksum: MultipartChecksum | None) -> str:
        """Raises Unsupported with a key of the customer's: the upstream would need it with each part."""
        if _CUSTOMER_KEY in write.metadata.encryption:
            raise Unsupported("Multipart uploads cannot be encrypted with a key of yours here.")
        call = create_call(write, checksum)
        return upload_id(call, self._upstream.send(call, iter(())))

    def upload_part(
        self,
        upload: MultipartRef,
        part_number: int,
        body: Body,
        checksums: Mapping[ChecksumAlgorithm, bytes],
    ) -> StoredPart:
        """A checksum that the upload needs and nobody knows before the body is sent after it."""
        _require_id(upload)
        missing = upload.checksum.algorithm if upload.checksum else None
        if missing in checksums:
            missing = None
        if missing is not None:
            body.want(missing)
        if body.length is None:
            return self._put_spooled_part(upload, part_number, body, checksums, missing)
        if missing is None:
            return self._put_part(upload, part_number, iter(body), body.length, checksums)
        return self._put_part_with_trailer(upload, part_number, body, body.length, missing)

    def _put_spooled_part(
        self,
        upload: MultipartRef,
        part_number: int,
        body: Body,
        checksums: Mapping[ChecksumAlgorithm, bytes],
        missing: ChecksumAlgorithm | None,
    ) -> StoredPart:
        """A part of unknown length, which S3 does not take: it waits on disk until it is whole."""
        with tempfile.SpooledTemporaryFile(_SPOOL_MEMORY_BYTES) as spool:
            for block in body:
                with calling("UploadPart"):
                    spool.write(block)
            if missing is not None:
                checksums = {**checksums, missing: body.digests[missing]}
            spool.seek(0)
            return self._put_part(upload, part_number, _read(spool), body.size, checksums)

    def _put_part(
        self,
        upload: MultipartRef,
        part_number: int,
        blocks: Iterator[Block],
        length: int,
        checksums: Mapping[ChecksumAlgorithm, bytes],
    ) -> StoredPart:
        call = part_call(upload, part_number, length, checksums)
        return stored_part(part_number, length, call, self._upstream.send(call, blocks))

    def _put_part_with_trailer(
        self, upload: MultipartRef, part_number: int, body: Body, length: int, algorithm: ChecksumAlgorithm
    ) -> StoredPart:
        call = trailing_part_call(upload, part_number, length, algorithm)
        blocks = encode(
            body, length, lambda: f"{checksum_header(algorithm)}:{checksum_text(body.digests[algorithm])}"
        )
        return stored_part(part_number, length, call, self._upstream.send(call, blocks))

    def complete_multipart_upload(
        self,
        upload: MultipartRef,
        parts: Sequence[CompletedPart],
        conditions: Conditions,
        full_checksum: Mapping[ChecksumAlgorithm, str],
    ) -> StoredObject:
        """The upstream does not tell the size of what it assembled, so the parts are listed before."""
        # By number and ETag: some servers list a part that was replaced beside its successor.
        sizes = {(part.part_number, part.etag): part.size for part in self._all_parts(upload)}
        size = sum(sizes.get((part.part_number, part.etag), 0) for part in parts)
        return self._complete(upload, parts, conditions, full_checksum, size)

    def _complete(
        self,
        upload: MultipartRef,
        parts: Sequence[CompletedPart],
        conditions: Conditions,
        full_checksum: Mapping[ChecksumAlgorithm, str],
        size: int,
    ) -> StoredObject:
        document = completion_document(parts)
        call = complete_call(upload, document, conditions, full_checksum)
        answer = self._upstream.ask(call, document)
        with calling(call.operation):
            version_id = answer.headers.get("x-amz-version-id")
            return completed_object({**xml_fields(answer.body), "VersionId": version_id}, size)

    def find_completed(self, upload: MultipartRef, parts: Sequence[CompletedPart]) -> StoredObject | None:
        """By HeadObject, which tells nothing without the permission to read: the ETag of these parts."""
        try:
            with asking_boto("HeadObject"):
                answer = self._control().head_object(
                    Bucket=upload.bucket, Key=upload.key, ChecksumMode="ENABLED"
                )
                there = completed_object(answer, answer["ContentLength"])
        except (BackendMisconfigured, BackendDenied):  # not there, or not for us to see
            return None
        return there if is_made_of(there.etag, parts) else None

    def abort_multipart_upload(self, upload: MultipartRef) -> None:
        """Raises UploadNotFound."""
        _require_id(upload)
        self._upstream.ask(abort_call(upload))

    def list_parts(self, upload: MultipartRef, after: int, limit: int) -> PartPage:
        """The upstream's own page, so it may have fewer than ``limit``."""
        _require_id(upload)
        call = list_call(upload, after, limit)
        answer = self._upstream.ask(call)
        with calling(call.operation):
            return part_page(listed_parts(answer.body), after)

    def _all_parts(self, upload: MultipartRef) -> Iterator[StoredPart]:
        after, is_truncated = 0, True
        while is_truncated:
            page = self.list_parts(upload, after, 1000)
            yield from page.parts
            is_truncated = page.is_truncated and page.next_part_number_marker > after
            after = page.next_part_number_marker

    # -- housekeeping -------------------------------------------------------------------------------------

    def stale_uploads(self, bucket: str, prefix: str, initiated_before: float) -> Sequence[StaleUpload]:
        """From ListMultipartUploads, all pages."""
        with asking_boto("ListMultipartUploads"):
            pages = (
                self._control().get_paginator("list_multipart_uploads").paginate(Bucket=bucket, Prefix=prefix)
            )
            found = [upload for page in pages for upload in uploads_in_progress(bucket, page)]
        return [upload for upload in found if upload.initiated < initiated_before]

    def sweep(self) -> int:
        """Nothing is kept here, so nothing can be left behind."""
        return 0

    def check(self, bucket: str) -> None:
        """HeadBucket."""
        self._upstream.ask(head_bucket_call(bucket))


def _require_id(upload: MultipartRef) -> None:
    # An empty uploadId makes another operation of the same request: DeleteObject of AbortMultipartUpload.
    if not upload.backend_id:
        raise UploadNotFound


def _slices(data: memoryview) -> Iterator[Block]:
    """A part as blocks, so that the timeout is for one of them."""
    for start in range(0, len(data), _SEND_BYTES):
        yield data[start : start + _SEND_BYTES]


def _read(file: IO[bytes]) -> Iterator[Block]:
    while block := file.read(_SEND_BYTES):
        yield block
