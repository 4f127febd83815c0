"""A body made of memory, for tests of whoever pulls a body."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterator, Mapping

import awscrt.checksums

from uploads.body.stream import DigestAlgorithm

MIB = 1024 * 1024


class BodyBroke(Exception):
    """What a ``FakeBody`` raises when told to fail."""


class FakeBody:
    """Implements ``uploads.body.stream.Body``, and writes over a block as soon as the next one, or the end,
    is asked for. Raises ``BodyBroke`` instead of yielding block ``fail_at`` (negative: counted from the end,
    so -1 is the last). ``pulled`` counts the blocks asked for."""

    def __init__(
        self,
        data: bytes = b"",
        *,
        block_bytes: int = 64 * 1024,
        promised: bool = True,
        fail_at: int | None = None,
    ) -> None:
        self.length = len(data) if promised else None
        self.pulled = 0
        self._blocks = [data[start : start + block_bytes] for start in range(0, len(data), block_bytes)]
        self._fail_at = None if fail_at is None else fail_at % max(len(self._blocks), 1)
        self._wanted: set[DigestAlgorithm] = set()
        self._size = 0
        self._digests: dict[DigestAlgorithm, bytes] = {}

    def want(self, algorithm: DigestAlgorithm) -> None:
        assert self.pulled == 0, "wanted after the body was touched"
        self._wanted.add(algorithm)

    def __iter__(self) -> Iterator[memoryview]:
        assert self.pulled == 0, "iterated twice"
        self.pulled = 1
        if self._fail_at is not None and not self._blocks:
            raise BodyBroke
        for index, block in enumerate(self._blocks):
            self.pulled = index + 1
            if index == self._fail_at:
                raise BodyBroke
            self._size += len(block)
            memory = bytearray(block)
            yield memoryview(memory)
            memory[:] = b"\xee" * len(memory)
        whole = b"".join(self._blocks)
        self._digests = {algorithm: digest(algorithm, whole) for algorithm in self._wanted}

    @property
    def size(self) -> int:
        return self._size

    @property
    def digests(self) -> Mapping[DigestAlgorithm, bytes]:
        return self._digests


def digest(algorithm: DigestAlgorithm, data: bytes) -> bytes:
    """The raw digest of ``data``; the CRCs are big-endian, as S3 has them."""
    match algorithm:
        case "crc32":
            return zlib.crc32(data).to_bytes(4, "big")
        case "crc32c":
            return awscrt.checksums.crc32c(data).to_bytes(4, "big")
        case "crc64nvme":
            return awscrt.checksums.crc64nvme(data).to_bytes(8, "big")
        case _:
            return hashlib.new(algorithm, data).digest()
