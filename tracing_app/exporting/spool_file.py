"""One request on disk: what its name says, and its content told whole from torn."""

from __future__ import annotations

import re
import struct
import zlib
from dataclasses import dataclass

_MAGIC = b"mzspool1"
_HEAD = struct.Struct("<8sII")
_NAME = re.compile(r"(\d{20})-(\d+)-(\d+)-s(\d+)-t(\d+)\.otlp")
PARTIAL_SUFFIX = ".partial"


@dataclass(frozen=True, slots=True, order=True)
class SpoolName:
    """When it was written (Unix nanoseconds), by which process, and how much it holds. Sorts oldest first."""

    written_ns: int
    pid: int
    number: int
    spans: int
    traces: int

    def __str__(self) -> str:
        return f"{self.written_ns:020d}-{self.pid}-{self.number}-s{self.spans}-t{self.traces}.otlp"


def parse_name(name: str) -> SpoolName | None:
    """The name of a spooled request, ``None`` when it is not one."""
    match = _NAME.fullmatch(name.removesuffix(PARTIAL_SUFFIX))
    return SpoolName(*map(int, match.groups())) if match else None


def pack(payload: bytes) -> bytes:
    """A file's content: length and checksum, then the payload compressed."""
    body = zlib.compress(payload, 1)
    return _HEAD.pack(_MAGIC, len(body), zlib.crc32(body)) + body


def unpack(content: bytes) -> bytes | None:
    """The payload; ``None`` when the file is torn or none of ours."""
    if len(content) < _HEAD.size:
        return None
    magic, length, checksum = _HEAD.unpack_from(content)
    body = content[_HEAD.size :]
    if magic != _MAGIC or len(body) != length or zlib.crc32(body) != checksum:
        return None
    try:
        return zlib.decompress(body)
    except zlib.error:
        return None
