"""Multipart uploads in progress: a folder for each, named by an upload id that nobody can guess.

Parts, completion and abortion commit under an exclusive ``flock`` on the upload's manifest. A manifest
that is no longer in its place means that another one finished the upload meanwhile.
"""

from __future__ import annotations

import fcntl
import os
import re
import secrets
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from uploads.body.stream import Body
from uploads.s3.headers import ChecksumAlgorithm, MultipartChecksum

from .base import MultipartRef, ObjectWrite, PartPage, StaleUpload, StoredPart
from .errors import UploadNotFound
from .os_errors import TranslatedErrors
from .part_files import (
    MANIFEST,
    Manifest,
    PartFile,
    data_path,
    manifest_json,
    part_json,
    part_numbers,
    part_path,
    read_manifest,
    read_part,
)
from .received import checksums_of
from .scratch import Scratch, ScratchFile, make_folders, sync_folder

UPLOAD_ID = re.compile(r"[0-9a-f]{32}")
HALF_MADE_SECONDS = 3600.0


class OpenUpload:
    """A multipart upload held exclusively, to be completed or aborted. Raises OSError."""

    def __init__(self, folder: Path, manifest: Manifest, scratch: Scratch) -> None:
        self.manifest = manifest
        self._folder = folder
        self._scratch = scratch

    def part(self, part_number: int) -> PartFile | None:
        """The part of this number, if it is whole."""
        part = read_part(self._folder, part_number)
        return part if part and part.is_whole else None

    def keep(self, part: StoredPart, file: ScratchFile) -> None:
        """Make a temporary file the part; its bytes are durable already."""
        old = read_part(self._folder, part.part_number)
        data = data_path(self._folder, part)
        file.path.replace(data)
        sync_folder(self._folder)
        with self._scratch.open() as record:
            record.write(part_json(part))
            record.replace(part_path(self._folder, part.part_number))
        if old and old.path != data:
            old.path.unlink(missing_ok=True)

    def remove(self) -> None:
        """The upload and its parts are gone."""
        self._scratch.discard_folder(self._folder)


class PartStore:
    """All multipart uploads of one storage. ``file_mode`` are the permissions of data files."""

    def __init__(
        self,
        folder: Path,
        scratch: Scratch,
        *,
        file_mode: int | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._folder = folder
        self._scratch = scratch
        self._file_mode = file_mode
        self._clock = clock

    @TranslatedErrors()
    def create(self, write: ObjectWrite, checksum: MultipartChecksum | None) -> str:
        """Begin an upload; returns its id. Raises ``BackendError``."""
        upload_id = secrets.token_hex(16)
        manifest = Manifest(write.bucket, write.key, write.metadata, checksum, self._clock())
        with self._scratch.open() as file:
            file.write(manifest_json(manifest))
            make_folders(self._folder / upload_id)
            file.replace(self._folder / upload_id / MANIFEST)
        return upload_id

    def put(
        self,
        upload: MultipartRef,
        part_number: int,
        body: Body,
        checksums: Mapping[ChecksumAlgorithm, bytes],
    ) -> StoredPart:
        """Store a part, replacing one of the same number. Raises ``BackendError``, or as the body does."""
        manifest = self.manifest(upload)
        body.want("md5")
        for algorithm in {*checksums, *([manifest.checksum.algorithm] if manifest.checksum else [])}:
            body.want(algorithm)
        with self._scratch.open(self._file_mode) as file:
            file.write_body(body)
            file.sync()
            etag = body.digests["md5"].hex()
            part = StoredPart(part_number, etag, body.size, self._clock(), checksums_of(body))
            with self.held(upload) as open_upload:
                open_upload.keep(part, file)
        return part

    @TranslatedErrors()
    def manifest(self, upload: MultipartRef) -> Manifest:
        """What the upload is. Raises ``UploadNotFound``, also for another bucket's or key's upload."""
        manifest = read_manifest(self._folder_of(upload))
        if manifest is None or (manifest.bucket, manifest.key) != (upload.bucket, upload.key):
            raise UploadNotFound
        return manifest

    @contextmanager
    def held(self, upload: MultipartRef) -> Iterator[OpenUpload]:
        """The upload, while nobody else completes, aborts or changes it; waits. Raises ``BackendError``."""
        manifest = self.manifest(upload)
        folder = self._folder_of(upload)
        with TranslatedErrors(), _locked(folder / MANIFEST):
            yield OpenUpload(folder, manifest, self._scratch)

    def abort(self, upload: MultipartRef) -> None:
        """Forget the upload and its parts. Raises ``BackendError``."""
        with self.held(upload) as open_upload:
            open_upload.remove()

    @TranslatedErrors()
    def page(self, upload: MultipartRef, after: int, limit: int) -> PartPage:
        """Parts with a number greater than ``after``, at most ``limit``. Raises ``BackendError``."""
        self.manifest(upload)
        folder = self._folder_of(upload)
        numbers = sorted(number for number in part_numbers(folder) if number > after)
        found = (read_part(folder, number) for number in numbers[:limit])
        parts = tuple(file.part for file in found if file)
        # One that is completed or aborted meanwhile disappears at once: what was read of it is no list.
        self.manifest(upload)
        marker = parts[-1].part_number if parts else after
        return PartPage(parts, len(numbers) > limit, marker)

    @TranslatedErrors()
    def stale(self, bucket: str, prefix: str, initiated_before: float) -> Sequence[StaleUpload]:
        """Uploads of that bucket and key prefix that began before. Raises ``BackendError``."""
        return [
            StaleUpload(MultipartRef(bucket, manifest.key, upload_id, manifest.checksum), manifest.initiated)
            for upload_id, manifest in self._manifests()
            if manifest.bucket == bucket
            and manifest.key.startswith(prefix)
            and manifest.initiated < initiated_before
        ]

    @TranslatedErrors()
    def sweep(self) -> int:
        """Remove folders whose creation died before their manifest; returns how many."""
        removed = 0
        for folder in self._folders():
            with suppress(FileNotFoundError):
                age = self._clock() - folder.stat().st_mtime
                if age > HALF_MADE_SECONDS and not (folder / MANIFEST).exists():
                    self._scratch.discard_folder(folder)
                    removed += 1
        return removed

    def _manifests(self) -> Iterator[tuple[str, Manifest]]:
        for folder in self._folders():
            manifest = read_manifest(folder)
            # None: finished since the folder was listed, or not begun yet
            if manifest:
                yield folder.name, manifest

    def _folders(self) -> list[Path]:
        return [path for path in self._folder.glob("*") if UPLOAD_ID.fullmatch(path.name)]

    def _folder_of(self, upload: MultipartRef) -> Path:
        if not UPLOAD_ID.fullmatch(upload.backend_id):
            raise UploadNotFound
        return self._folder / upload.backend_id


@contextmanager
def _locked(manifest: Path) -> Iterator[None]:
    try:
        # a lock needs a file open for writing on some network filesystems
        fd = os.open(manifest, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError as error:
        raise UploadNotFound from error
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        if not _is_in_place(fd, manifest):
            raise UploadNotFound
        yield
    finally:
        os.close(fd)


def _is_in_place(fd: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(fd), path.stat())
    except FileNotFoundError:
        return False
