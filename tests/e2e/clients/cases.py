"""What is uploaded: content and key, each case with a name."""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import lru_cache

KIB = 1024
MIB = 1024 * KIB
# More than a part of any client that sends parts (minio-go's are 16 MiB, the largest), and no more than that:
# the S3 server needs seconds of CPU for a hundred MiB.
LARGE = 18 * MIB


@dataclass(frozen=True, slots=True)
class Case:
    size: int
    key: str


CASES = {
    "small": Case(size=KIB, key="small.bin"),
    "empty": Case(size=0, key="empty.bin"),
    "large": Case(size=LARGE, key="large.bin"),
    "unicode-key": Case(size=KIB, key="päth/文件 ☃.bin"),
    "signs-key": Case(size=KIB, key="a b+c&d=e;f,g@h$i!j'k(l)*~m.txt"),
}

KEYS = ("unicode-key", "signs-key")
EVERY = ("small", "empty", "large", *KEYS)
SIZES = ("small", "empty", "large")


@lru_cache
def content_of_size(size: int) -> bytes:
    """Bytes that look random and are the same in every run."""
    return random.Random(size).randbytes(size)
