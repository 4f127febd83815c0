"""Trace ids by which a ratio comes out evenly."""

from __future__ import annotations

import random
from typing import Protocol

BLOCK = 1000
_RATIO_BITS = 64


class Randomness(Protocol):
    """``random``, or a ``Random`` of one's own."""

    def getrandbits(self, k: int, /) -> int: ...

    def shuffle(self, x: list[int], /) -> None: ...


class EvenTraceIds:
    """Each id is uniform over 128 bits, but not independent of those before it (stratified sampling).

    The lower 64 bits, by which ratios are decided, fall once into each thousandth of their range in every
    ``BLOCK`` ids, in a random order. So a ratio of 1 % keeps 10 of each 1,000 traces that begin in this
    process, and what is counted by rates strays from the truth by parts of a block, not by a lot for each
    trace. Counts of a kind of traces that is a small part of all stray as they would.
    """

    def __init__(self, randomness: Randomness = random) -> None:
        self._random = randomness
        self._parts: list[int] = []

    def __call__(self) -> int:
        """Never 0. Several threads may take ids at once."""
        try:
            part = self._parts.pop()
        except IndexError:
            part = self._begin_block()
        # Exactly uniform: a number below BLOCK * 2**64, divided.
        low = ((part << _RATIO_BITS) + self._random.getrandbits(_RATIO_BITS)) // BLOCK
        return (self._random.getrandbits(_RATIO_BITS) << _RATIO_BITS | low) or 1

    def _begin_block(self) -> int:
        """Threads that find the block before empty at once each begin one; the last is gone on with."""
        parts = list(range(BLOCK))
        self._random.shuffle(parts)
        part = parts.pop()
        self._parts = parts
        return part
