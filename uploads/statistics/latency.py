"""A histogram of durations whose bounds are the same everywhere, so that those of all workers add up.

Eight buckets in each doubling: bucket ``i`` holds what is over ``2 ** (i / 8)`` milliseconds and up to
``2 ** ((i + 1) / 8)``, so that a quantile strays by 4.5 % at most. Source: OpenTelemetry metrics data
model, "ExponentialHistogram", scale 3.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Final

_PER_DOUBLING: Final = 8
LOWEST: Final = -4 * _PER_DOUBLING
"""Holds everything up to 0.07 ms."""
HIGHEST: Final = 27 * _PER_DOUBLING - 1
"""Holds everything over 34 hours."""

_SHORTEST_MS: Final = 2.0 ** (LOWEST / _PER_DOUBLING)


def bucket_of(seconds: float) -> int:
    """The bucket of a duration."""
    ms = seconds * 1e3
    if ms <= _SHORTEST_MS:
        return LOWEST
    return min(math.ceil(math.log2(ms) * _PER_DOUBLING) - 1, HIGHEST)


def upper_bound_ms(bucket: int) -> float:
    """The longest duration of a bucket in milliseconds."""
    return float(2.0 ** ((bucket + 1) / _PER_DOUBLING))


def quantile(counts: Mapping[int, int], q: float) -> float | None:
    """The duration in milliseconds that the share ``q`` of those counted by bucket does not exceed; None when
    there is none. Within a bucket durations are taken to be spread evenly by their logarithm."""
    wanted = q * sum(counts.values())
    for bucket in sorted(counts):
        count = counts[bucket]
        if count and wanted <= count:
            return float(2.0 ** ((bucket + wanted / count) / _PER_DOUBLING))
        wanted -= count
    return None


def pack(counts: Mapping[int, int]) -> list[int]:
    """The counts as a short list for JSON: the first bucket, then the count of each up to the last."""
    if not counts:
        return []
    first = min(counts)
    return [first, *(counts.get(bucket, 0) for bucket in range(first, max(counts) + 1))]


def unpack(packed: Sequence[int], *, into: dict[int, int]) -> None:
    """Add what ``pack`` made to counts."""
    for bucket, count in enumerate(packed[1:], packed[0] if packed else 0):
        if count:
            into[bucket] = into.get(bucket, 0) + count
