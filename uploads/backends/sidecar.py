"""What a file cannot hold about itself: a JSON file for each object, beside the objects.

``{folder}/{bucket}/{hh}/{sha256 of key}.{inode}.json``. The inode in the name ties it to one data file:
a new object's sidecar is written before its file gets the key's name and does not disturb the old
one's, so data and metadata change in the same instant, with the rename.
"""

from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from uploads.s3.headers import ObjectMetadata

from .base import StoredObject
from .json_file import read_json
from .object_path import ObjectPath
from .scratch import Scratch, make_folders

FORMAT = 1
NAME = re.compile(r"[0-9a-f]{64}\.(?P<inode>[0-9]+)\.json")
HEADERS = (
    "content_type",
    "cache_control",
    "content_disposition",
    "content_encoding",
    "content_language",
    "expires",
)


@dataclass(frozen=True, slots=True)
class Sidecar:
    """Everything known of one object. ``mtime_ns`` and the size tell whether the file was changed by
    hand since. ``upload_id`` is the multipart upload that made it."""

    key: str
    stored: StoredObject
    mtime_ns: int
    metadata: ObjectMetadata
    upload_id: str | None = None

    def describes(self, file: os.stat_result) -> bool:
        """Is this still what the file is? A folder's size and time change with its entries."""
        if stat.S_ISDIR(file.st_mode):
            return True
        return (self.mtime_ns, self.stored.size) == (file.st_mtime_ns, file.st_size)


class SidecarStore:
    """The sidecars of all buckets."""

    def __init__(self, folder: Path, scratch: Scratch) -> None:
        self._folder = folder
        self._scratch = scratch

    def write(self, where: ObjectPath, inode: int, sidecar: Sidecar) -> None:
        """Make it durable. Raises ``BackendError``, OSError."""
        path = self._path(where, inode)
        make_folders(path.parent)
        with self._scratch.open() as file:
            file.write(json.dumps(_to_json(sidecar), ensure_ascii=False).encode())
            file.replace(path)

    def read(self, where: ObjectPath, file: os.stat_result) -> Sidecar | None:
        """What is known of this file under this key; None when nothing, or nothing true, is."""
        sidecar = read_sidecar(self._path(where, file.st_ino))
        return sidecar if sidecar and sidecar.key == where.key and sidecar.describes(file) else None

    def remove(self, where: ObjectPath, inode: int) -> None:
        """Forget. Raises OSError."""
        with suppress(FileNotFoundError):
            self._path(where, inode).unlink()

    def everything(self) -> Iterator[tuple[str, int, Path]]:
        """Bucket, inode and path of every sidecar, in no order."""
        for path in self._folder.glob("*/??/*.json"):
            name = NAME.fullmatch(path.name)
            if name:
                yield path.parent.parent.name, int(name["inode"]), path

    def _path(self, where: ObjectPath, inode: int) -> Path:
        digest = where.digest
        return self._folder / where.bucket / digest[:2] / f"{digest}.{inode}.json"


def read_sidecar(path: Path) -> Sidecar | None:
    """The sidecar in this file; None when there is none that can be read. Raises OSError."""
    return read_json(path, _from_json)


def _to_json(sidecar: Sidecar) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "key": sidecar.key,
        "etag": sidecar.stored.etag,
        "size": sidecar.stored.size,
        "mtime_ns": sidecar.mtime_ns,
        "checksums": dict(sidecar.stored.checksums),
        "checksum_type": sidecar.stored.checksum_type,
        "upload_id": sidecar.upload_id,
        "metadata": metadata_to_json(sidecar.metadata),
    }


def _from_json(value: Mapping[str, Any]) -> Sidecar:
    if value["format"] != FORMAT:
        raise ValueError(f"format {value['format']!r}")
    stored = StoredObject(value["etag"], value["size"], value["checksums"], value["checksum_type"])
    metadata = metadata_from_json(value["metadata"])
    return Sidecar(value["key"], stored, value["mtime_ns"], metadata, value["upload_id"])


def metadata_to_json(metadata: ObjectMetadata) -> dict[str, Any]:
    """The content headers that are there, and the user metadata."""
    headers = {name: getattr(metadata, name) for name in HEADERS if getattr(metadata, name) is not None}
    return {**headers, "user": dict(metadata.user)}


def metadata_from_json(value: Mapping[str, Any]) -> ObjectMetadata:
    """The reverse of ``metadata_to_json``."""
    return ObjectMetadata(**value)
