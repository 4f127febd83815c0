"""A body of unknown length as parts."""

from __future__ import annotations

import pytest

from uploads.backends import s3_parts
from uploads.backends.s3_parts import cut, part_bytes

TIB = 1024**4


@pytest.fixture
def small(monkeypatch):
    """Parts of 10 bytes, 20 from the fourth on."""
    monkeypatch.setattr(s3_parts, "FIRST_PART_BYTES", 10)
    monkeypatch.setattr(s3_parts, "PARTS_OF_ONE_SIZE", 3)


def shape(blocks) -> list[tuple[int, bytes, bool]]:
    return [(part.number, bytes(part.data), part.is_last) for part in cut(blocks)]


@pytest.mark.parametrize("block_bytes", [1, 3, 10, 64])
@pytest.mark.parametrize(
    ("length", "sizes"),
    [
        (0, [0]),
        (1, [1]),
        (10, [10]),
        (11, [10, 1]),
        (30, [10, 10, 10]),
        (31, [10, 10, 10, 1]),
        (60, [10, 10, 10, 20, 10]),
    ],
)
def test_parts_follow_the_sizes(small, length, sizes, block_bytes):
    data = bytes(range(length))
    blocks = [data[start : start + block_bytes] for start in range(0, length, block_bytes)]
    parts = shape(blocks)
    assert [len(part) for _, part, _ in parts] == sizes
    assert b"".join(part for _, part, _ in parts) == data
    assert [number for number, _, _ in parts] == list(range(1, len(sizes) + 1))
    assert [is_last for _, _, is_last in parts] == [False] * (len(sizes) - 1) + [True]


def test_blocks_may_be_reused_by_the_body(small):
    def blocks():
        buffer = bytearray(4)
        for number in range(5):
            buffer[:] = bytes([number]) * 4
            yield memoryview(buffer)

    assert b"".join(part for _, part, _ in shape(blocks())) == b"".join(bytes([n]) * 4 for n in range(5))


def test_a_body_that_breaks_gives_no_last_part(small):
    def blocks():
        yield b"x" * 15
        raise RuntimeError

    parts = cut(blocks())
    assert not next(parts).is_last
    with pytest.raises(RuntimeError):
        next(parts)


def test_ten_thousand_parts_hold_the_largest_object():
    assert sum(part_bytes(number) for number in range(1, 10_001)) >= 5 * TIB
    assert part_bytes(10_000) <= 5 * 1024**3
    assert part_bytes(1) >= 5 * 1024**2
