"""Cutting a body of unknown length into parts, one of them in memory at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

MIB = 1024 * 1024
FIRST_PART_BYTES = 8 * MIB
PARTS_OF_ONE_SIZE = 1000


@dataclass(frozen=True, slots=True)
class Part:
    """Bytes of a body; ``is_last`` once the body has ended, so has been verified."""

    number: int
    data: bytearray
    is_last: bool


def part_bytes(number: int) -> int:
    """The size of a part: it doubles every thousand parts, so 10,000 parts hold more than 5 TiB while a
    body of up to 8 GiB costs 8 MiB of memory, one of 56 GiB 32 MiB."""
    return FIRST_PART_BYTES << ((number - 1) // PARTS_OF_ONE_SIZE)


def cut(blocks: Iterable[bytes | memoryview]) -> Iterator[Part]:
    """At least one part. A part of full size comes only once there is a byte to follow it."""
    number, size, data = 1, part_bytes(1), bytearray()
    for block in blocks:
        rest = memoryview(block)
        while rest:
            if len(data) == size:
                yield Part(number, data, is_last=False)
                number, size, data = number + 1, part_bytes(number + 1), bytearray()
            room = size - len(data)
            data += rest[:room]
            rest = rest[room:]
    yield Part(number, data, is_last=True)
