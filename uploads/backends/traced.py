"""A backend whose calls are spans; the same interface around any backend."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from tracing_app.api import AttributeValue, FixedAttributes, Kind, stage
from uploads.body.stream import Body
from uploads.config import DjangoStorageConfig, FilesystemStorageConfig, S3StorageConfig, StorageConfig
from uploads.s3.headers import ChecksumAlgorithm, Conditions, MultipartChecksum

from .base import (
    Backend,
    Capability,
    CompletedPart,
    MultipartRef,
    ObjectWrite,
    PartPage,
    StaleUpload,
    StoredObject,
    StoredPart,
)
from .measured import MeasuredCall, StorageCall, tell_taker


@dataclass(frozen=True, slots=True)
class CallNames:
    """How the calls of a kind of backend are named in traces.

    With ``is_service`` the backend is another service: its spans are CLIENT spans with the conventions
    for AWS SDKs.
    """

    put: str
    create: str
    part: str
    complete: str
    find: str
    abort: str
    list_parts: str
    is_service: bool = False


S3_CALLS = CallNames(
    put="S3.PutObject",
    create="S3.CreateMultipartUpload",
    part="S3.UploadPart",
    complete="S3.CompleteMultipartUpload",
    find="S3.HeadObject",
    abort="S3.AbortMultipartUpload",
    list_parts="S3.ListParts",
    is_service=True,
)
FILE_CALLS = CallNames(
    put="file.write",
    create="file.create_multipart",
    part="file.write_part",
    complete="file.assemble",
    find="file.find",
    abort="file.remove_parts",
    list_parts="file.list_parts",
)
DJANGO_CALLS = CallNames(
    put="storage.save",
    create="storage.create_multipart",
    part="storage.stage_part",
    complete="storage.save",
    find="storage.find",
    abort="storage.remove_parts",
    list_parts="storage.list_parts",
)


def call_names(config: StorageConfig) -> CallNames:
    """The names for the backend of this configuration."""
    match config:
        case FilesystemStorageConfig():
            return FILE_CALLS
        case S3StorageConfig():
            return S3_CALLS
        case DjangoStorageConfig():
            return DJANGO_CALLS


class TracedBackend:
    """Wraps each call of ``backend`` that serves a request in a span, and counts it."""

    def __init__(self, backend: Backend, calls: CallNames) -> None:
        self._backend = self.wrapped = backend
        self._calls = calls
        self._kind: Kind = "client" if calls.is_service else "internal"
        self.name = backend.name
        self._put: StorageCall = (backend.name, calls.put, "")
        self._part: StorageCall = (backend.name, calls.part, "")
        self.capabilities: frozenset[Capability] = backend.capabilities
        # Buckets are those of the configuration, and few.
        self._attributes = lru_cache(maxsize=1024)(self._made_attributes)

    def put_object(self, write: ObjectWrite, body: Body) -> StoredObject:
        tell_taker(body, self._put)
        try:
            with self._stage(self._calls.put, write.bucket):
                return self._backend.put_object(write, body)
        except BaseException as error:
            tell_taker(body, self._put, error)
            raise

    def create_multipart_upload(self, write: ObjectWrite, checksum: MultipartChecksum | None) -> str:
        with self._measured(self._calls.create, write.bucket):
            return self._backend.create_multipart_upload(write, checksum)

    def upload_part(
        self,
        upload: MultipartRef,
        part_number: int,
        body: Body,
        checksums: Mapping[ChecksumAlgorithm, bytes],
    ) -> StoredPart:
        tell_taker(body, self._part)
        try:
            with self._stage(self._calls.part, upload.bucket):
                return self._backend.upload_part(upload, part_number, body, checksums)
        except BaseException as error:
            tell_taker(body, self._part, error)
            raise

    def complete_multipart_upload(
        self,
        upload: MultipartRef,
        parts: Sequence[CompletedPart],
        conditions: Conditions,
        full_checksum: Mapping[ChecksumAlgorithm, str],
    ) -> StoredObject:
        with self._measured(self._calls.complete, upload.bucket):
            return self._backend.complete_multipart_upload(upload, parts, conditions, full_checksum)

    def find_completed(self, upload: MultipartRef, parts: Sequence[CompletedPart]) -> StoredObject | None:
        with self._measured(self._calls.find, upload.bucket):
            return self._backend.find_completed(upload, parts)

    def abort_multipart_upload(self, upload: MultipartRef) -> None:
        with self._measured(self._calls.abort, upload.bucket):
            self._backend.abort_multipart_upload(upload)

    def list_parts(self, upload: MultipartRef, after: int, limit: int) -> PartPage:
        with self._measured(self._calls.list_parts, upload.bucket):
            return self._backend.list_parts(upload, after, limit)

    def stale_uploads(self, bucket: str, prefix: str, initiated_before: float) -> Sequence[StaleUpload]:
        return self._backend.stale_uploads(bucket, prefix, initiated_before)

    def sweep(self) -> int:
        return self._backend.sweep()

    def check(self, bucket: str) -> None:
        self._backend.check(bucket)

    def _stage(self, name: str, bucket: str) -> stage:
        return stage(name, self._attributes(name, bucket), kind=self._kind)

    def _measured(self, name: str, bucket: str) -> stage:
        return MeasuredCall(self._attributes(name, bucket), self._kind, (self.name, name, ""))

    def _made_attributes(self, name: str, bucket: str) -> FixedAttributes:
        attributes: dict[str, AttributeValue] = {"mizuchi.storage": self.name}
        if self._calls.is_service:
            attributes |= {"rpc.system.name": "aws-api", "rpc.method": name, "aws.s3.bucket": bucket}
        return FixedAttributes(attributes)
