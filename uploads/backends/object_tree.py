"""The objects themselves: plain files in folders, each changed by one atomic rename.

All commits to a key hold its lock, so a condition and the rename it guards are one step. The order of a
commit is: data and sidecar durable, rename, folder durable. A sidecar that is a file of its own is durable
before the rename, and the old one goes last. A crash anywhere leaves the old object with its metadata or
the new one with its own.
"""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path

from uploads.s3.headers import Conditions, ObjectMetadata

from .base import StoredObject
from .descriptor import Descriptor
from .errors import ConditionFailed, KeyNotRepresentable, Unsupported
from .key_locks import KeyLocks
from .object_path import ObjectPath, make_folder, open_folder, path_of
from .os_errors import TranslatedErrors
from .scratch import NO_HARD_LINKS, Scratch, ScratchFile, make_folders
from .sidecar import Sidecar, SidecarStore, read_sidecar


class ObjectTree:
    """The folder tree ``{location}/{bucket}/{key}`` with sidecars and locks below ``internal``."""

    def __init__(self, location: Path, internal: Path, scratch: Scratch, folder_mode: int | None) -> None:
        self._prefix = f"{location}{os.sep}"
        self._sidecars = SidecarStore(internal / "metadata", scratch)
        self._locks = KeyLocks(internal / "locks")
        self._folder_mode = folder_mode

    @TranslatedErrors()
    def admit(self, where: ObjectPath, conditions: Conditions) -> None:
        """Could an object be committed here now? Raises ``KeyNotRepresentable``, ``ConditionFailed``."""
        folder = self._folder(where)
        if folder is None:
            _refuse_absent(conditions)
            return
        with folder as fd:
            self._admit(fd, where, conditions)

    @TranslatedErrors()
    def sidecar(self, where: ObjectPath) -> Sidecar | None:
        """What is known of the object there; None without one, or for a file put there by hand."""
        folder = self._folder(where)
        if folder is None:
            return None
        with folder as fd:
            if _inode(fd, where) is None:
                return None
            with _opened(fd, where) as file:
                return self._sidecars.read(where, file)

    @TranslatedErrors()
    def commit(
        self,
        file: ScratchFile,
        where: ObjectPath,
        stored: StoredObject,
        metadata: ObjectMetadata,
        conditions: Conditions,
        upload_id: str | None = None,
    ) -> None:
        """Make a complete temporary file the object. Raises ``BackendError``."""
        written = os.fstat(file.fd)
        sidecar = Sidecar(where.key, stored, written.st_mtime_ns, metadata, upload_id)
        is_attached = self._sidecars.attach(file.fd, sidecar)
        os.fsync(file.fd)
        with self._locks.hold(where), self._made_folder(where, conditions) as folder:
            old = self._admit(folder, where, conditions)
            if not is_attached:
                self._sidecars.write(where, written.st_ino, sidecar)
            try:
                _place(file, folder, where.name, is_new=conditions.if_none_match)
                os.fsync(folder)
            except BaseException:
                if not is_attached and old != written.st_ino:
                    self._sidecars.remove(where, written.st_ino)
                raise
            if old not in (None, written.st_ino):
                self._sidecars.remove(where, old)

    @TranslatedErrors()
    def commit_folder(
        self, where: ObjectPath, stored: StoredObject, metadata: ObjectMetadata, conditions: Conditions
    ) -> None:
        """Make a folder an object: it is one when it has a sidecar. Raises ``BackendError``."""
        with self._locks.hold(where), self._made_folder(where, conditions) as folder:
            self._admit(folder, where, conditions)
            made = os.fstat(folder)
            sidecar = Sidecar(where.key, stored, made.st_mtime_ns, metadata)
            if self._sidecars.attach(folder, sidecar):
                os.fsync(folder)
                self._sidecars.remove(where, made.st_ino)
            else:
                self._sidecars.write(where, made.st_ino, sidecar)

    @TranslatedErrors()
    def sweep(self) -> int:
        """Remove sidecars in files of their own whose object is gone or was replaced; returns how many."""
        return sum(self._remove_if_stale(*found) for found in self._sidecars.everything())

    def _remove_if_stale(self, bucket: str, inode: int, path: Path) -> bool:
        sidecar = read_sidecar(path)
        if sidecar is None:
            return False
        where = path_of(bucket, sidecar.key)
        if self._is_there(where, inode):
            return False
        # again under the lock: a writer has its sidecar before it has its object
        with self._locks.hold(where):
            if self._is_there(where, inode):
                return False
            self._sidecars.remove(where, inode)
        return True

    def _is_there(self, where: ObjectPath, inode: int) -> bool:
        try:
            folder = self._folder(where)
        except NotADirectoryError:
            return False
        if folder is None:
            return False
        with folder as fd:
            found = _stat(fd, where)
        return found is not None and found.st_ino == inode

    def _admit(self, folder: int, where: ObjectPath, conditions: Conditions) -> int | None:
        """The inode of what the object would replace. Raises ``KeyNotRepresentable``, ``ConditionFailed``."""
        inode = _inode(folder, where)
        if inode is None:
            _refuse_absent(conditions)
            return None
        # a folder is no object unless it has a sidecar
        if conditions.if_none_match and (not where.is_folder or self._etag(folder, where)):
            raise ConditionFailed
        if conditions.if_match is not None and self._etag(folder, where) != conditions.if_match:
            raise ConditionFailed
        return inode

    def _etag(self, folder: int, where: ObjectPath) -> str | None:
        """The ETag of what is there; None for a folder that is no object."""
        with _opened(folder, where) as fd:
            if sidecar := self._sidecars.read(where, fd):
                return sidecar.stored.etag
            if where.is_folder:
                return None
            with open(fd, "rb", closefd=False) as file:
                return hashlib.file_digest(file, _md5).hexdigest()

    def _folder(self, where: ObjectPath) -> Descriptor | None:
        """The folder that the object is in, or is; None when there is none."""
        try:
            return Descriptor(open_folder(self._prefix + where.bucket, where.folders))
        except FileNotFoundError:
            return None

    def _made_folder(self, where: ObjectPath, conditions: Conditions) -> Descriptor:
        """Like ``_folder``, but makes it, unless the conditions forbid an object that is new."""
        if folder := self._folder(where):
            return folder
        _refuse_absent(conditions)
        bucket = self._prefix + where.bucket
        make_folders(Path(bucket))
        return Descriptor(make_folder(bucket, where.folders, self._folder_mode))


def _refuse_absent(conditions: Conditions) -> None:
    if conditions.if_match is not None:
        raise ConditionFailed


def _md5() -> hashlib._Hash:
    return hashlib.md5(usedforsecurity=False)


def _inode(folder: int, where: ObjectPath) -> int | None:
    """The inode of what has the object's name; None when nothing has."""
    found = _stat(folder, where)
    if found is None:
        return None
    if not where.is_folder and not stat.S_ISREG(found.st_mode):
        raise KeyNotRepresentable(detail="what is in the place of the object is no plain file")
    return found.st_ino


def _stat(folder: int, where: ObjectPath) -> os.stat_result | None:
    if where.is_folder:
        return os.fstat(folder)
    try:
        return os.stat(where.name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return None


def _opened(folder: int, where: ObjectPath) -> Descriptor:
    # non-blocking: should a pipe have come into its place meanwhile
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    return Descriptor(os.open(where.name or b".", flags, dir_fd=folder))


def _place(file: ScratchFile, folder: int, name: bytes, *, is_new: bool) -> None:
    if not is_new:
        file.move(name, folder)
        return
    try:
        # unlike rename, fails when somebody else, by whatever tool, was first
        file.link(name, folder)
    except FileExistsError as error:
        raise ConditionFailed from error
    except OSError as error:
        if error.errno in NO_HARD_LINKS:
            raise Unsupported(
                "The storage of this bucket cannot honour If-None-Match. Leave it out.",
                detail=f"no hard links on this filesystem: {error.strerror}",
            ) from error
        raise
