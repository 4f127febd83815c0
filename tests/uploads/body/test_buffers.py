"""Buffers: as large as is wanted and no larger, bounded in all, used again."""

from __future__ import annotations

import pytest

from uploads.body.buffers import Buffers

KIB = 1024
MIB = 1024 * KIB


@pytest.mark.parametrize(
    ("size", "length"),
    [
        (1, 1),
        (16 * KIB, 16 * KIB),
        (16 * KIB + 1, 64 * KIB),
        (64 * KIB, 64 * KIB),
        (64 * KIB + 1, 256 * KIB),
        (257 * KIB, MIB),
        (100 * MIB, MIB),
    ],
)
def test_sizes(size, length):
    assert len(Buffers().take(size)) == length


def test_a_buffer_that_came_back_is_used_again():
    buffers = Buffers()
    first = buffers.take(MIB)
    buffers.give_back(first)
    assert buffers.take(MIB) is first
    assert buffers.take(MIB) is not first


def test_who_comes_when_the_large_ones_are_out_has_a_small_one():
    buffers = Buffers(lent_bytes=MIB + 300 * KIB)
    large = buffers.take(MIB)
    assert [len(buffers.take(MIB)) for _ in range(3)] == [256 * KIB, 64 * KIB, 64 * KIB]
    buffers.give_back(large)
    assert len(buffers.take(MIB)) == MIB


def test_no_more_is_kept_than_is_said():
    buffers = Buffers(kept_bytes=MIB)
    two = [buffers.take(MIB), buffers.take(MIB)]
    for buffer in two:
        buffers.give_back(buffer)
    assert buffers.take(MIB) is two[0]
    assert buffers.take(MIB) is not two[1]
