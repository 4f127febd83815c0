"""Cutting a body of unknown length into parts, one of them in memory at a time."""

from __future__ import annotations

import mmap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

MIB = 1024 * 1024
FIRST_PART_BYTES = 6 * MIB
PARTS_OF_ONE_SIZE = 1000


@dataclass(frozen=True, slots=True)
class Part:
    """Bytes of a body, there until the next part is asked for; ``is_last`` once the body has ended, so
    has been verified."""

    number: int
    data: memoryview
    is_last: bool


def part_bytes(number: int) -> int:
    """The size of a part: it doubles every thousand parts, so 10,000 parts hold more than 5 TiB while a
    body of up to 5.8 GiB costs 6 MiB of memory, one of 41 GiB 24 MiB."""
    return FIRST_PART_BYTES << ((number - 1) // PARTS_OF_ONE_SIZE)


def cut(blocks: Iterable[bytes | memoryview]) -> Iterator[Part]:
    """At least one part. A part of full size comes only once there is a byte to follow it."""
    number, filled, buffer = 1, 0, _buffer(1)
    for block in blocks:
        rest = memoryview(block)
        while rest:
            if filled == len(buffer):
                yield Part(number, buffer, is_last=False)
                number, filled = number + 1, 0
                if part_bytes(number) > len(buffer):
                    buffer = _buffer(number)
            taken = rest[: len(buffer) - filled]
            buffer[filled : filled + len(taken)] = taken
            filled += len(taken)
            rest = rest[len(taken) :]
    yield Part(number, buffer[:filled], is_last=True)


def _buffer(number: int) -> memoryview:
    """Room for a part. Mapped, because the allocator would keep twice as much: it takes a block that
    grows from a heap that many threads share, and does not give that back."""
    return memoryview(mmap.mmap(-1, part_bytes(number), flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS))
