"""Any Django storage class as a backend: a body is verified in a staging folder, then ``save()``d.

The name is always ``{bucket}/{key}``. Django's storage interface knows bytes and a content type, so
everything else (user metadata, Cache-Control, conditions, ...) is ``Unsupported``; a client that always
sends such headers needs another backend. Whether readers see an object before ``save()`` returns, and
whether it replaces, is the storage's own: one that stores under another name instead of replacing is
undone and answered with ``ConditionFailed``.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from django.core.exceptions import SuspiciousOperation
from django.core.files import File
from django.core.files.storage import Storage
from django.utils.module_loading import import_string

from uploads.body.stream import Body
from uploads.config import DjangoStorageConfig
from uploads.s3.headers import ChecksumAlgorithm, Conditions, MultipartChecksum, ObjectMetadata

from .assembly import assemble
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
from .errors import BackendUnavailable, ConditionFailed, KeyNotRepresentable, Unsupported
from .object_path import path_of
from .os_errors import translated
from .part_store import PartStore
from .received import object_of
from .refusal import refuse_unsupported
from .scratch import Scratch, ScratchFile

#: Never stored; asked for to see whether the storage answers.
PROBE = "is-the-storage-there"

logger = logging.getLogger(__name__)


class DjangoStorageBackend:
    """A ``Backend`` over ``django.core.files.storage.Storage``. Imports the class when made; raises
    ImportError, and what the class raises about its options."""

    def __init__(self, config: DjangoStorageConfig) -> None:
        self.name = config.name
        self.capabilities: frozenset[Capability] = frozenset()
        self._storage: Storage = import_string(config.backend)(**config.options)
        staging = config.staging.absolute()
        self._scratch = Scratch(staging / "tmp")
        self._parts = PartStore(staging / "multipart", self._scratch)

    def put_object(self, write: ObjectWrite, body: Body) -> StoredObject:
        """See ``Backend``."""
        name = self._admitted(write)
        body.want("md5")
        with self._scratch.open() as file:
            file.write_body(body)
            self._save(name, file, write.metadata)
        return object_of(body)

    def create_multipart_upload(self, write: ObjectWrite, checksum: MultipartChecksum | None) -> str:
        """See ``Backend``."""
        self._admitted(write)
        return self._parts.create(write, checksum)

    def upload_part(
        self,
        upload: MultipartRef,
        part_number: int,
        body: Body,
        checksums: Mapping[ChecksumAlgorithm, bytes],
    ) -> StoredPart:
        """See ``Backend``."""
        return self._parts.put(upload, part_number, body, checksums)

    def complete_multipart_upload(
        self,
        upload: MultipartRef,
        parts: Sequence[CompletedPart],
        conditions: Conditions,
        full_checksum: Mapping[ChecksumAlgorithm, str],
    ) -> StoredObject:
        """See ``Backend``."""
        refuse_unsupported(ObjectMetadata(), conditions, self.capabilities)
        with self._parts.held(upload) as held:
            assembly = assemble(held.part, parts, held.manifest.checksum, full_checksum)
            with assembly.written(self._scratch, None) as file:
                self._save(_name_of(upload.bucket, upload.key), file, held.manifest.metadata)
            held.remove()
        return assembly.stored

    def find_completed(self, upload: MultipartRef, parts: Sequence[CompletedPart]) -> StoredObject | None:
        """See ``Backend``. Storages do not say how an object was made."""
        return None

    def abort_multipart_upload(self, upload: MultipartRef) -> None:
        """See ``Backend``."""
        self._parts.abort(upload)

    def list_parts(self, upload: MultipartRef, after: int, limit: int) -> PartPage:
        """See ``Backend``."""
        return self._parts.page(upload, after, limit)

    def stale_uploads(self, bucket: str, prefix: str, initiated_before: float) -> Sequence[StaleUpload]:
        """See ``Backend``."""
        return self._parts.stale(bucket, prefix, initiated_before)

    def sweep(self) -> int:
        """See ``Backend``. Only of the staging folder: what a storage leaves behind is its own."""
        return self._scratch.sweep() + self._parts.sweep()

    def check(self, bucket: str) -> None:
        """See ``Backend``. Writes to the staging folder, asks the storage for a name that is not there."""
        probe = _name_of(bucket, PROBE)
        with self._scratch.open(), _translated_errors():
            self._storage.exists(probe)

    def _admitted(self, write: ObjectWrite) -> str:
        refuse_unsupported(write.metadata, write.conditions, self.capabilities)
        _refuse_metadata(write.metadata)
        return _name_of(write.bucket, write.key)

    def _save(self, name: str, staged: ScratchFile, metadata: ObjectMetadata) -> None:
        with _translated_errors(), staged.path.open("rb") as content:
            file = File(content, name=name)
            # what storages look for (UploadedFile has it); Django's File does not declare it
            file.content_type = metadata.content_type  # type: ignore[attr-defined]
            saved = self._storage.save(name, file)
            if saved != name:
                self._storage.delete(saved)
        if saved != name:
            raise ConditionFailed(
                "An object with this key exists, and the storage of this bucket does not replace objects.",
                detail="it was saved under another name; set allow_overwrite (Django's FileSystemStorage) or "
                "file_overwrite (django-storages) to replace",
            )


def _name_of(bucket: str, key: str) -> str:
    where = path_of(bucket, key)
    if where.is_folder or "\\" in key:
        raise KeyNotRepresentable(
            "The storage of this bucket holds no key that ends in '/' or has a '\\'. Choose another key."
        )
    return f"{bucket}/{key}"


def _refuse_metadata(metadata: ObjectMetadata) -> None:
    lost = {
        "Cache-Control": metadata.cache_control,
        "Content-Disposition": metadata.content_disposition,
        "Content-Encoding": metadata.content_encoding,
        "Content-Language": metadata.content_language,
        "Expires": metadata.expires,
        "x-amz-meta-*": metadata.user or None,
    }
    asked = [header for header, value in lost.items() if value is not None]
    if asked:
        raise Unsupported(f"The storage of this bucket cannot keep {', '.join(asked)}. Leave it out.")


@contextmanager
def _translated_errors() -> Iterator[None]:
    """What a third party's storage raises can be anything; it is logged with its traceback."""
    try:
        yield
    except (SuspiciousOperation, FileExistsError) as error:
        # FileExistsError: a folder of the name is an object; Django raises it without an errno
        raise KeyNotRepresentable(detail=type(error).__name__) from error
    except OSError as error:
        raise translated(error) from error
    except Exception as error:
        logger.exception("the Django storage failed")
        raise BackendUnavailable(detail=type(error).__name__) from error
