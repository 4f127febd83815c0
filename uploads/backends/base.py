"""What a storage backend is: the contract that every backend passes the same tests for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType
from typing import Any, Protocol

from uploads.body.stream import Body
from uploads.s3.headers import ChecksumAlgorithm, ChecksumType, Conditions, MultipartChecksum, ObjectMetadata

_NONE: Mapping[Any, Any] = MappingProxyType({})
_ALWAYS = Conditions()


class Capability(Enum):
    """What a backend can honour beyond bytes, content headers and user metadata."""

    TAGGING = "x-amz-tagging"
    STORAGE_CLASS = "x-amz-storage-class"
    ACL = "x-amz-acl"
    ENCRYPTION = "x-amz-server-side-encryption"
    WEBSITE_REDIRECT = "x-amz-website-redirect-location"
    IF_NONE_MATCH = "If-None-Match"
    IF_MATCH = "If-Match"


@dataclass(slots=True)
class ObjectWrite:
    """Where an object goes and what goes with it. ``key`` already has the bucket's prefix. Nobody changes it;
    it is not frozen because every request makes one, which Python makes dear.

    ``checksums`` are digests known before the body (from headers); a backend that can have them
    verified by its storage passes them on. The body verifies them in any case.
    """

    bucket: str
    key: str
    metadata: ObjectMetadata = field(default_factory=ObjectMetadata)
    conditions: Conditions = field(default_factory=lambda: _ALWAYS)
    checksums: Mapping[ChecksumAlgorithm, bytes] = field(default_factory=lambda: _NONE)


@dataclass(slots=True)
class StoredObject:
    """An object that is durable and visible. ``etag`` is without quotes, checksums are Base64 as S3 writes
    them (composite ones end in ``-N``). Nobody changes it; see ``ObjectWrite``."""

    etag: str
    size: int
    checksums: Mapping[ChecksumAlgorithm, str] = field(default_factory=lambda: _NONE)
    checksum_type: ChecksumType | None = None
    version_id: str | None = None


@dataclass(frozen=True, slots=True)
class MultipartRef:
    """A multipart upload in progress at the backend; ``backend_id`` is the backend's own upload id."""

    bucket: str
    key: str
    backend_id: str
    checksum: MultipartChecksum | None = None


@dataclass(frozen=True, slots=True)
class StoredPart:
    """A part that is durable. ``last_modified`` is Unix time in seconds."""

    part_number: int
    etag: str
    size: int
    last_modified: float = 0.0
    checksums: Mapping[ChecksumAlgorithm, str] = field(default_factory=lambda: _NONE)


@dataclass(frozen=True, slots=True)
class CompletedPart:
    """A part as CompleteMultipartUpload lists it; ``etag`` without quotes."""

    part_number: int
    etag: str
    checksums: Mapping[ChecksumAlgorithm, str] = field(default_factory=lambda: _NONE)


@dataclass(frozen=True, slots=True)
class PartPage:
    """One page of ListParts."""

    parts: tuple[StoredPart, ...]
    is_truncated: bool
    next_part_number_marker: int


@dataclass(frozen=True, slots=True)
class StaleUpload:
    """A multipart upload (or leftover of one) that prune_uploads may remove; Unix time in seconds."""

    ref: MultipartRef
    initiated: float


class Backend(Protocol):
    """A storage. Thread-safe; one instance for each worker process. Raises only ``BackendError``s and
    whatever iterating the body raises.

    Verified, then visible: nothing under the object's name changes before the body's iterator is
    exhausted; if it raises, or the process dies, no object, part or temporary file is left (files of a
    killed process are removed by ``sweep``).
    """

    name: str
    capabilities: frozenset[Capability]

    def put_object(self, write: ObjectWrite, body: Body) -> StoredObject:
        """Store the body under the key, replacing what is there unless a condition forbids it."""

    def create_multipart_upload(self, write: ObjectWrite, checksum: MultipartChecksum | None) -> str:
        """Begin a multipart upload; returns the backend's upload id."""

    def upload_part(
        self,
        upload: MultipartRef,
        part_number: int,
        body: Body,
        checksums: Mapping[ChecksumAlgorithm, bytes],
    ) -> StoredPart:
        """Store one part, replacing one of the same number. Raises UploadNotFound."""

    def complete_multipart_upload(
        self,
        upload: MultipartRef,
        parts: Sequence[CompletedPart],
        conditions: Conditions,
        full_checksum: Mapping[ChecksumAlgorithm, str],
    ) -> StoredObject:
        """Assemble the parts, which are in ascending order, into the object.

        Raises UploadNotFound, PartInvalid, PartTooSmall, ConditionFailed, DigestRejected.
        """

    def find_completed(self, upload: MultipartRef, parts: Sequence[CompletedPart]) -> StoredObject | None:
        """The object that an upload, unknown by now, became when it was completed with these parts; None
        when that is not certain. For a completion whose answer nobody heard."""

    def abort_multipart_upload(self, upload: MultipartRef) -> None:
        """Forget the upload and its parts. Raises UploadNotFound."""

    def list_parts(self, upload: MultipartRef, after: int, limit: int) -> PartPage:
        """Parts with a number greater than ``after``, at most ``limit``. Raises UploadNotFound."""

    def stale_uploads(self, bucket: str, prefix: str, initiated_before: float) -> Sequence[StaleUpload]:
        """Uploads in progress that began before that Unix time, under that bucket and key prefix."""

    def sweep(self) -> int:
        """Remove what processes that died left behind; returns how many files. Safe beside live ones."""

    def check(self, bucket: str) -> None:
        """For readiness: is the storage reachable and the bucket there? Raises BackendError."""
