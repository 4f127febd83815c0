"""The files of one multipart upload: its manifest, and for each part its bytes and what is known of them.

``part-00001.json`` describes part 1 and, by its ETag, names its data file ``part-00001.<md5>``: a part is
replaced in the instant its JSON is.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from uploads.s3.headers import MultipartChecksum, ObjectMetadata

from .base import StoredPart
from .json_file import read_json
from .sidecar import metadata_from_json, metadata_to_json

FORMAT = 1
MANIFEST = "manifest.json"


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a multipart upload is. ``initiated`` is Unix time in seconds."""

    bucket: str
    key: str
    metadata: ObjectMetadata
    checksum: MultipartChecksum | None
    initiated: float


@dataclass(frozen=True, slots=True)
class PartFile:
    """A part and the file with its bytes."""

    part: StoredPart
    path: Path

    @property
    def is_whole(self) -> bool:
        """Are the bytes there? Raises OSError."""
        try:
            return self.path.stat().st_size == self.part.size
        except FileNotFoundError:
            return False


def part_path(folder: Path, part_number: int) -> Path:
    """Where a part is described."""
    return folder / f"part-{part_number:05}.json"


def data_path(folder: Path, part: StoredPart) -> Path:
    """Where a part's bytes are."""
    return folder / f"part-{part.part_number:05}.{part.etag}"


def part_numbers(folder: Path) -> Iterator[int]:
    """The numbers of the parts, in no order. Raises OSError."""
    for path in folder.glob("part-*.json"):
        yield int(path.stem.removeprefix("part-"))


def read_part(folder: Path, part_number: int) -> PartFile | None:
    """The part of this number; None when there is none that can be read. Raises OSError."""
    return read_json(part_path(folder, part_number), partial(_part_from_json, folder, part_number))


def _part_from_json(folder: Path, part_number: int, value: Mapping[str, Any]) -> PartFile:
    part = StoredPart(part_number, value["etag"], value["size"], value["last_modified"], value["checksums"])
    return PartFile(part, data_path(folder, part))


def part_json(part: StoredPart) -> bytes:
    """What ``read_part`` reads."""
    value = {
        "format": FORMAT,
        "etag": part.etag,
        "size": part.size,
        "last_modified": part.last_modified,
        "checksums": dict(part.checksums),
    }
    return json.dumps(value).encode()


def read_manifest(folder: Path) -> Manifest | None:
    """The manifest of an upload; None when there is none that can be read. Raises OSError."""
    return read_json(folder / MANIFEST, _manifest_from_json)


def _manifest_from_json(value: Mapping[str, Any]) -> Manifest:
    checksum = value["checksum"]
    return Manifest(
        value["bucket"],
        value["key"],
        metadata_from_json(value["metadata"]),
        MultipartChecksum(checksum["algorithm"], checksum["type"]) if checksum else None,
        value["initiated"],
    )


def manifest_json(manifest: Manifest) -> bytes:
    """What ``read_manifest`` reads."""
    checksum = manifest.checksum
    value = {
        "format": FORMAT,
        "bucket": manifest.bucket,
        "key": manifest.key,
        "initiated": manifest.initiated,
        "checksum": {"algorithm": checksum.algorithm, "type": checksum.type} if checksum else None,
        "metadata": metadata_to_json(manifest.metadata),
    }
    return json.dumps(value, ensure_ascii=False).encode()
