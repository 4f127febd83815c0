"""A backend whose calls are spans; the same interface around any backend."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from time import perf_counter
from types import TracebackType
from typing import Final, Self

from tracing_app.api import (
    CALL_BOUNDS,
    AttributeValue,
    FixedAttributes,
    Histogram,
    Kind,
    Label,
    is_measuring,
    stage,
)
from uploads.body.stream import Body
from uploads.body.timed import TimedBody
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

CALLS: Final = Histogram(
    "mizuchi_storage_call_duration_seconds",
    "Time of calls to storages without what they waited for the client; error is empty when it went well.",
    otlp="mizuchi.storage.call.duration",
    bounds=CALL_BOUNDS,
    labels=(
        Label("storage", "mizuchi.storage"),
        Label("call", "mizuchi.storage.call"),
        Label("error", "error.type"),
    ),
    unit="seconds",
)


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


class MeasuredCall(stage):
    """A stage whose time is counted: that of the storage, without what it waited for blocks of ``body``."""

    __slots__ = ("_began", "_body", "_labels")

    def __init__(
        self,
        name: str,
        attributes: FixedAttributes,
        kind: Kind,
        *,
        labels: tuple[str, str, str],
        body: Body | None,
    ) -> None:
        super().__init__(name, attributes, kind=kind)
        self._labels = labels
        self._body = body

    def __enter__(self) -> Self:
        self._began = perf_counter()
        return super().__enter__()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        super().__exit__(kind, error, traceback)
        seconds = perf_counter() - self._began
        if isinstance(self._body, TimedBody):
            seconds -= self._body.pulled_ns / 1e9
        labels = self._labels
        if error is not None:
            storage, call, _ = labels
            labels = (storage, call, str(getattr(error, "code", type(error).__name__)))
        CALLS.observe(labels, seconds)


class TracedBackend:
    """Wraps each call of ``backend`` that serves a request in a span, and counts it."""

    def __init__(self, backend: Backend, calls: CallNames) -> None:
        self._backend = self.wrapped = backend
        self._calls = calls
        self._kind: Kind = "client" if calls.is_service else "internal"
        self.name = backend.name
        self.capabilities: frozenset[Capability] = backend.capabilities
        # Buckets are those of the configuration, and few.
        self._attributes = lru_cache(maxsize=1024)(self._made_attributes)

    def put_object(self, write: ObjectWrite, body: Body) -> StoredObject:
        with self._stage(self._calls.put, write.bucket, body):
            return self._backend.put_object(write, body)

    def create_multipart_upload(self, write: ObjectWrite, checksum: MultipartChecksum | None) -> str:
        with self._stage(self._calls.create, write.bucket):
            return self._backend.create_multipart_upload(write, checksum)

    def upload_part(
        self,
        upload: MultipartRef,
        part_number: int,
        body: Body,
        checksums: Mapping[ChecksumAlgorithm, bytes],
    ) -> StoredPart:
        with self._stage(self._calls.part, upload.bucket, body):
            return self._backend.upload_part(upload, part_number, body, checksums)

    def complete_multipart_upload(
        self,
        upload: MultipartRef,
        parts: Sequence[CompletedPart],
        conditions: Conditions,
        full_checksum: Mapping[ChecksumAlgorithm, str],
    ) -> StoredObject:
        with self._stage(self._calls.complete, upload.bucket):
            return self._backend.complete_multipart_upload(upload, parts, conditions, full_checksum)

    def find_completed(self, upload: MultipartRef, parts: Sequence[CompletedPart]) -> StoredObject | None:
        with self._stage(self._calls.find, upload.bucket):
            return self._backend.find_completed(upload, parts)

    def abort_multipart_upload(self, upload: MultipartRef) -> None:
        with self._stage(self._calls.abort, upload.bucket):
            self._backend.abort_multipart_upload(upload)

    def list_parts(self, upload: MultipartRef, after: int, limit: int) -> PartPage:
        with self._stage(self._calls.list_parts, upload.bucket):
            return self._backend.list_parts(upload, after, limit)

    def stale_uploads(self, bucket: str, prefix: str, initiated_before: float) -> Sequence[StaleUpload]:
        return self._backend.stale_uploads(bucket, prefix, initiated_before)

    def sweep(self) -> int:
        return self._backend.sweep()

    def check(self, bucket: str) -> None:
        self._backend.check(bucket)

    def _stage(self, name: str, bucket: str, body: Body | None = None) -> stage:
        attributes = self._attributes(name, bucket)
        if not is_measuring():
            return stage(name, attributes, kind=self._kind)
        return MeasuredCall(name, attributes, self._kind, labels=(self.name, name, ""), body=body)

    def _made_attributes(self, name: str, bucket: str) -> FixedAttributes:
        attributes: dict[str, AttributeValue] = {"mizuchi.storage": self.name}
        if self._calls.is_service:
            attributes |= {"rpc.system.name": "aws-api", "rpc.method": name, "aws.s3.bucket": bucket}
        return FixedAttributes(attributes)
