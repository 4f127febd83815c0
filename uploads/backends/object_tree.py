"""The objects themselves: plain files in folders, each changed by one atomic rename.

All commits to a key hold its lock, so a condition and the rename it guards are one step. The order of a
commit is: data durable, sidecar durable, rename, folder durable, old sidecar gone. A crash anywhere
leaves the old object with its metadata or the new one with its own.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from uploads.s3.headers import Conditions, ObjectMetadata

from .base import StoredObject
from .errors import ConditionFailed, KeyNotRepresentable, Unsupported
from .key_locks import KeyLocks
from .object_path import ObjectPath, make_folder, open_folder, path_of
from .os_errors import TranslatedErrors
from .scratch import NO_HARD_LINKS, Scratch, ScratchFile, make_folders
from .sidecar import Sidecar, SidecarStore, read_sidecar


@dataclass(frozen=True, slots=True)
class _Present:
    """The object that is there: its inode, and what is known of it."""

    inode: int
    sidecar: Sidecar | None


class ObjectTree:
    """The folder tree ``{location}/{bucket}/{key}`` with sidecars and locks below ``internal``."""

    def __init__(self, location: Path, internal: Path, scratch: Scratch, folder_mode: int | None) -> None:
        self._location = location
        self._sidecars = SidecarStore(internal / "metadata", scratch)
        self._locks = KeyLocks(internal / "locks")
        self._folder_mode = folder_mode

    @TranslatedErrors()
    def admit(self, where: ObjectPath, conditions: Conditions) -> None:
        """Could an object be committed here now? Raises ``KeyNotRepresentable``, ``ConditionFailed``."""
        self._admit(where, conditions)

    @TranslatedErrors()
    def sidecar(self, where: ObjectPath) -> Sidecar | None:
        """What is known of the object there; None without one, or for a file put there by hand."""
        present = self._present(where)
        return present.sidecar if present else None

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
        os.fsync(file.fd)
        written = os.fstat(file.fd)
        sidecar = Sidecar(where.key, stored, written.st_mtime_ns, metadata, upload_id)
        with self._locks.hold(where):
            old = self._admit(where, conditions)
            with self._made_folder(where) as folder, self._described(where, written.st_ino, sidecar, old):
                _place(file, folder, where.name, is_new=conditions.if_none_match)
                os.fsync(folder)
            if old and old.inode != written.st_ino:
                self._sidecars.remove(where, old.inode)

    @TranslatedErrors()
    def commit_folder(
        self, where: ObjectPath, stored: StoredObject, metadata: ObjectMetadata, conditions: Conditions
    ) -> None:
        """Make a folder an object: it is one when it has a sidecar. Raises ``BackendError``."""
        with self._locks.hold(where):
            self._admit(where, conditions)
            with self._made_folder(where) as folder:
                made = os.fstat(folder)
                sidecar = Sidecar(where.key, stored, made.st_mtime_ns, metadata)
                self._sidecars.write(where, made.st_ino, sidecar)

    @TranslatedErrors()
    def sweep(self) -> int:
        """Remove sidecars whose object is gone or was replaced; returns how many."""
        return sum(self._remove_if_stale(*found) for found in self._sidecars.everything())

    def _remove_if_stale(self, bucket: str, inode: int, path: Path) -> bool:
        sidecar = read_sidecar(path)
        if sidecar is None:
            return False
        where = path_of(bucket, sidecar.key)
        if self._inode(where) == inode:
            return False
        # again under the lock: a writer has its sidecar before it has its object
        with self._locks.hold(where):
            if self._inode(where) == inode:
                return False
            self._sidecars.remove(where, inode)
        return True

    def _inode(self, where: ObjectPath) -> int | None:
        try:
            with self._folder(where) as folder:
                return _stat(folder, where).st_ino
        except (FileNotFoundError, NotADirectoryError):
            return None

    def _admit(self, where: ObjectPath, conditions: Conditions) -> _Present | None:
        present = self._present(where)
        if conditions.if_none_match and present:
            raise ConditionFailed
        if conditions.if_match is not None and (
            present is None or self._etag(where, present) != conditions.if_match
        ):
            raise ConditionFailed
        return present

    def _present(self, where: ObjectPath) -> _Present | None:
        try:
            with self._folder(where) as folder:
                found = _stat(folder, where)
        except FileNotFoundError:
            return None
        sidecar = self._sidecars.read(where, found)
        if where.is_folder:
            return _Present(found.st_ino, sidecar) if sidecar else None
        if not stat.S_ISREG(found.st_mode):
            raise KeyNotRepresentable(detail="what is in the place of the object is no plain file")
        return _Present(found.st_ino, sidecar)

    def _etag(self, where: ObjectPath, present: _Present) -> str:
        if present.sidecar:
            return present.sidecar.stored.etag
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC
        with self._folder(where) as folder, open(os.open(where.name, flags, dir_fd=folder), "rb") as file:
            return hashlib.file_digest(file, _md5).hexdigest()

    @contextmanager
    def _folder(self, where: ObjectPath) -> Iterator[int]:
        folder = open_folder(self._location / where.bucket, where.folders)
        try:
            yield folder
        finally:
            os.close(folder)

    @contextmanager
    def _made_folder(self, where: ObjectPath) -> Iterator[int]:
        bucket = self._location / where.bucket
        make_folders(bucket)
        folder = make_folder(bucket, where.folders, self._folder_mode)
        try:
            yield folder
        finally:
            os.close(folder)

    @contextmanager
    def _described(
        self, where: ObjectPath, inode: int, sidecar: Sidecar, old: _Present | None
    ) -> Iterator[None]:
        """The sidecar is there before, and not left behind when placing the object fails."""
        self._sidecars.write(where, inode, sidecar)
        try:
            yield
        except BaseException:
            if old is None or old.inode != inode:
                self._sidecars.remove(where, inode)
            raise


def _md5() -> hashlib._Hash:
    return hashlib.md5(usedforsecurity=False)


def _stat(folder: int, where: ObjectPath) -> os.stat_result:
    if where.is_folder:
        return os.fstat(folder)
    return os.stat(where.name, dir_fd=folder, follow_symlinks=False)


def _place(file: ScratchFile, folder: int, name: bytes, *, is_new: bool) -> None:
    if not is_new:
        os.rename(file.path, name, dst_dir_fd=folder)
        return
    try:
        # unlike rename, fails when somebody else, by whatever tool, was first
        os.link(file.path, name, dst_dir_fd=folder)
    except FileExistsError as error:
        raise ConditionFailed from error
    except OSError as error:
        if error.errno in NO_HARD_LINKS:
            raise Unsupported(
                "The storage of this bucket cannot honour If-None-Match. Leave it out.",
                detail=f"no hard links on this filesystem: {error.strerror}",
            ) from error
        raise
