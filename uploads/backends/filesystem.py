"""Objects as plain files in folders: ``{location}/{bucket}/{key}``, readable with any tool.

A file's metadata is in an extended attribute of it. Everything else is below ``{location}/.mizuchi``, on
the same filesystem: ``tmp`` temporary files, ``metadata`` sidecars of files that cannot have theirs,
``multipart`` uploads in progress, ``locks``. A bucket's name cannot start with a dot, so no object can get
there.

A key ending in ``/`` with an empty body, which some clients send as a folder marker, is a folder with a
sidecar. Keys that are no path, and keys whose parent is an object, are ``KeyNotRepresentable``.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from django.core.files.storage import FileSystemStorage

from uploads.body.stream import Body
from uploads.config import FilesystemStorageConfig
from uploads.s3.headers import ChecksumAlgorithm, Conditions, MultipartChecksum

from .assembly import assemble, is_made_of
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
from .errors import BackendDenied, KeyNotRepresentable, OutOfSpace
from .object_path import ObjectPath, path_of
from .object_tree import ObjectTree
from .os_errors import INTERNAL, TranslatedErrors
from .part_store import PartStore
from .received import object_of
from .refusal import refuse_unsupported
from .scratch import Scratch, make_folders


class FilesystemBackend:
    """A ``Backend`` over a folder. Permissions of files and folders are those Django's
    ``FileSystemStorage`` gives (``FILE_UPLOAD_PERMISSIONS``, ``FILE_UPLOAD_DIRECTORY_PERMISSIONS``)."""

    def __init__(self, config: FilesystemStorageConfig) -> None:
        self.name = config.name
        self.capabilities = frozenset({Capability.IF_NONE_MATCH, Capability.IF_MATCH})
        permissions = FileSystemStorage(location=config.location)
        self._location = config.location.absolute()
        self._file_mode = permissions.file_permissions_mode
        internal = self._location / INTERNAL
        self._scratch = Scratch(internal / "tmp")
        self._tree = ObjectTree(
            self._location, internal, self._scratch, permissions.directory_permissions_mode
        )
        self._parts = PartStore(internal / "multipart", self._scratch, file_mode=self._file_mode)

    def put_object(self, write: ObjectWrite, body: Body) -> StoredObject:
        """See ``Backend``."""
        where = self._admitted(write)
        body.want("md5")
        if where.is_folder:
            return self._put_folder(write, where, body)
        with self._scratch.open(self._file_mode) as file:
            file.write_body(body)
            stored = object_of(body)
            self._tree.commit(file, where, stored, write.metadata, write.conditions)
        return stored

    def create_multipart_upload(self, write: ObjectWrite, checksum: MultipartChecksum | None) -> str:
        """See ``Backend``."""
        if self._admitted(write).is_folder:
            raise KeyNotRepresentable("A key that ends in '/' holds no bytes in the storage of this bucket.")
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
        """See ``Backend``. One that died between the rename and the removal of its parts can be repeated."""
        where = path_of(upload.bucket, upload.key)
        with self._parts.held(upload) as held:
            if done := self.find_completed(upload, parts):
                held.remove()
                return done
            manifest = held.manifest
            assembly = assemble(held.part, parts, manifest.checksum, full_checksum)
            self._tree.admit(where, conditions)
            with assembly.written(self._scratch, self._file_mode) as file:
                self._tree.commit(
                    file, where, assembly.stored, manifest.metadata, conditions, upload.backend_id
                )
            held.remove()
        return assembly.stored

    def find_completed(self, upload: MultipartRef, parts: Sequence[CompletedPart]) -> StoredObject | None:
        """See ``Backend``. The object's sidecar names the upload that made it."""
        there = self._tree.sidecar(path_of(upload.bucket, upload.key))
        if there is None or there.upload_id != upload.backend_id or not is_made_of(there.stored.etag, parts):
            return None
        return there.stored

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
        """See ``Backend``."""
        return self._scratch.sweep() + self._parts.sweep() + self._tree.sweep()

    @TranslatedErrors()
    def check(self, bucket: str) -> None:
        """See ``Backend``. Creates the bucket's folder."""
        folder = self._location / path_of(bucket, "x").bucket
        for path in (folder, self._location / INTERNAL):
            make_folders(path)
            if not os.access(path, os.W_OK | os.X_OK):
                raise BackendDenied(detail=f"{path} is not writable")
        room = os.statvfs(folder)
        # some filesystems have no fixed number of inodes, and say zero
        if room.f_bavail == 0 or (room.f_files and room.f_favail == 0):
            raise OutOfSpace(detail=f"no space or inodes left at {folder}")

    def _admitted(self, write: ObjectWrite) -> ObjectPath:
        """Refuse what can be refused before a byte of the body is asked for."""
        refuse_unsupported(write.metadata, write.conditions, self.capabilities)
        where = path_of(write.bucket, write.key)
        self._tree.admit(where, write.conditions)
        return where

    def _put_folder(self, write: ObjectWrite, where: ObjectPath, body: Body) -> StoredObject:
        for _ in body:
            raise KeyNotRepresentable("A key that ends in '/' holds no bytes in the storage of this bucket.")
        stored = object_of(body)
        self._tree.commit_folder(where, stored, write.metadata, write.conditions)
        return stored
