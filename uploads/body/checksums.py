"""The digests S3 knows: computing them, writing them in headers, and joining those of parts.

Source: S3 User Guide, "Checking object integrity". Digests are raw bytes, CRCs big-endian.
"""

from __future__ import annotations

import base64
import hashlib
import zlib
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Protocol

from uploads.body.stream import DigestAlgorithm
from uploads.s3.errors import InvalidDigest
from uploads.s3.headers import ChecksumAlgorithm

Buffer = bytes | bytearray | memoryview


class Hasher(Protocol):
    """A digest that is being computed."""

    def update(self, data: Buffer, /) -> None: ...

    def digest(self) -> bytes: ...


class _Crc:
    """A CRC with the interface of hashlib."""

    __slots__ = ("_step", "_value", "_width")

    def __init__(self, step: Callable[[Buffer, int], int], width: int) -> None:
        self._step = step
        self._width = width
        self._value = 0

    def update(self, data: Buffer, /) -> None:
        self._value = self._step(data, self._value)

    def digest(self) -> bytes:
        return self._value.to_bytes(self._width, "big")


def _crt() -> Any:
    """AWS's CRCs. Imported by the first who needs one: with all that it brings it costs a worker 5 MiB."""
    from awscrt import checksums

    return checksums


_HASHERS: dict[DigestAlgorithm, Callable[[], Hasher]] = {
    "md5": partial(hashlib.md5, usedforsecurity=False),
    "sha1": partial(hashlib.sha1, usedforsecurity=False),
    "sha256": hashlib.sha256,
    # zlib's CRC-32 is faster than awscrt's and lets other threads run meanwhile.
    "crc32": partial(_Crc, zlib.crc32, 4),
    "crc32c": lambda: _Crc(_crt().crc32c, 4),
    "crc64nvme": lambda: _Crc(_crt().crc64nvme, 8),
}

DIGEST_BYTES: dict[DigestAlgorithm, int] = {
    "md5": 16,
    "sha1": 20,
    "sha256": 32,
    "crc32": 4,
    "crc32c": 4,
    "crc64nvme": 8,
}

_COMBINERS: dict[ChecksumAlgorithm, str] = {
    "crc32": "combine_crc32",
    "crc32c": "combine_crc32c",
    "crc64nvme": "combine_crc64nvme",
}


def new(algorithm: DigestAlgorithm) -> Hasher:
    """A hasher that has seen nothing yet."""
    return _HASHERS[algorithm]()


def header_name(algorithm: ChecksumAlgorithm) -> str:
    """The lower-case header, or trailer, that carries a checksum."""
    return f"x-amz-checksum-{algorithm}"


def encode(digest: bytes) -> str:
    """A raw digest as S3 writes it: Base64."""
    return base64.b64encode(digest).decode("ascii")


def decode(algorithm: DigestAlgorithm, text: str) -> bytes:
    """The raw digest of its Base64; raises InvalidDigest unless it is exactly what ``encode`` writes."""
    try:
        digest = base64.b64decode(text, validate=True)
    except ValueError:
        raise InvalidDigest from None
    if len(digest) != DIGEST_BYTES[algorithm] or encode(digest) != text:
        raise InvalidDigest
    return digest


def combine_crc(algorithm: ChecksumAlgorithm, crc_a: bytes, crc_b: bytes, length_b: int) -> bytes:
    """The CRC of A followed by B, from the CRCs of both and B's length in bytes.

    Raises ValueError for an algorithm that is not a CRC: other digests cannot be joined.
    """
    if algorithm not in _COMBINERS:
        raise ValueError(f"{algorithm} digests cannot be combined")
    combine: Callable[[int, int, int], int] = getattr(_crt(), _COMBINERS[algorithm])
    combined = combine(int.from_bytes(crc_a, "big"), int.from_bytes(crc_b, "big"), length_b)
    return combined.to_bytes(DIGEST_BYTES[algorithm], "big")


def composite(algorithm: ChecksumAlgorithm, digests: Sequence[bytes]) -> str:
    """The checksum of a multipart object as a hash of its parts' raw digests: ``<Base64>-<parts>``."""
    hasher = new(algorithm)
    hasher.update(b"".join(digests))
    return f"{encode(hasher.digest())}-{len(digests)}"
