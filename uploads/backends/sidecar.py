"""What a file's bytes do not say about the object: JSON, in an extended attribute of the file.

The attribute is in the file from before it gets the key's name until it is gone, so data and metadata
change in the same instant, with the rename, and one ``fsync`` makes both durable. It goes where the file
goes: ``mv``, ``cp -a``, ``rsync -X``.

Where the filesystem has no attributes, or no room for this one, it is a file beside the objects:
``{folder}/{bucket}/{hh}/{sha256 of key}.{inode}.json``. The inode in the name ties it to one data file: a
new object's is written before its file gets the key's name, and does not disturb the old one's.
"""

from __future__ import annotations

import errno
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
from .json_file import parse_json, read_json
from .object_path import ObjectPath
from .scratch import Scratch, make_folders

FORMAT = 1
ATTRIBUTE = "user.mizuchi"
#: What a filesystem says that has no attributes, or no room for this one.
NO_ATTRIBUTE = frozenset(
    {errno.ENOTSUP, errno.ENODATA, errno.ENOSPC, errno.E2BIG, errno.ERANGE, errno.EPERM, errno.ENOSYS}
)
NAME = re.compile(r"[0-9a-f]{64}\.(?P<inode>[0-9]+)\.json")
_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
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

    def describes(self, key: str, file: os.stat_result) -> bool:
        """Is this still what the file under this key is? A folder's size and time change with its entries."""
        if key != self.key:
            return False
        if stat.S_ISDIR(file.st_mode):
            return True
        return (self.mtime_ns, self.stored.size) == (file.st_mtime_ns, file.st_size)


class SidecarStore:
    """The sidecars of all buckets; those that are files are below ``folder``."""

    def __init__(self, folder: Path, scratch: Scratch) -> None:
        self._folder = folder
        self._prefix = f"{folder}{os.sep}"
        self._scratch = scratch

    def attach(self, file: int, sidecar: Sidecar) -> bool:
        """Put it into the open file, durable with the next ``fsync`` of that. False where there is no
        place in the file: then it has to be written. Raises OSError."""
        try:
            os.setxattr(file, ATTRIBUTE, _encoded(sidecar))
        except OSError as error:
            if error.errno not in NO_ATTRIBUTE:
                raise
            return False
        return True

    def write(self, where: ObjectPath, inode: int, sidecar: Sidecar) -> None:
        """Make it durable in a file of its own. Raises ``BackendError``, OSError."""
        path = Path(self._path(where, inode))
        make_folders(path.parent)
        with self._scratch.open() as file:
            file.write(_encoded(sidecar))
            file.replace(path)

    def read(self, where: ObjectPath, file: int) -> Sidecar | None:
        """What is known of the open file under this key; None when nothing, or nothing true, is. Raises
        OSError."""
        status = os.fstat(file)
        sidecar = _attached(file, status)
        if sidecar is None or not sidecar.describes(where.key, status):
            sidecar = read_sidecar(Path(self._path(where, status.st_ino)))
        return sidecar if sidecar and sidecar.describes(where.key, status) else None

    def remove(self, where: ObjectPath, inode: int) -> None:
        """Forget what is in a file of its own. Raises OSError."""
        with suppress(FileNotFoundError):
            os.unlink(self._path(where, inode))

    def everything(self) -> Iterator[tuple[str, int, Path]]:
        """Bucket, inode and path of every sidecar, in no order."""
        for path in self._folder.glob("*/??/*.json"):
            name = NAME.fullmatch(path.name)
            if name:
                yield path.parent.parent.name, int(name["inode"]), path

    def _path(self, where: ObjectPath, inode: int) -> str:
        digest = where.digest
        return f"{self._prefix}{where.bucket}/{digest[:2]}/{digest}.{inode}.json"


def read_sidecar(path: Path) -> Sidecar | None:
    """The sidecar in a file of its own; None when there is none that can be read. Raises OSError."""
    return read_json(path, _from_json)


def _attached(file: int, status: os.stat_result) -> Sidecar | None:
    try:
        written = os.getxattr(file, ATTRIBUTE)
    except OSError as error:
        if error.errno not in NO_ATTRIBUTE:
            raise
        return None
    return parse_json(written, f"{ATTRIBUTE} of inode {status.st_ino}", _from_json)


def _encoded(sidecar: Sidecar) -> bytes:
    return _JSON.encode(_to_json(sidecar)).encode()


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
