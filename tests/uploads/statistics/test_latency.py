"""Histograms of durations: bounds that all share, quantiles within a few percent."""

from __future__ import annotations

import random

import pytest

from uploads.statistics.latency import (
    HIGHEST,
    LOWEST,
    bucket_of,
    pack,
    quantile,
    unpack,
    upper_bound_ms,
)


@pytest.mark.parametrize("ms", [0.07, 0.5, 1.0, 1.09, 2.0, 17.3, 1000.0, 59_999.0, 3_600_000.0])
def test_a_duration_is_within_the_bounds_of_its_bucket(ms: float) -> None:
    bucket = bucket_of(ms / 1e3)
    assert upper_bound_ms(bucket - 1) < ms <= upper_bound_ms(bucket) * (1 + 1e-12)


def test_a_bound_belongs_to_the_bucket_below_it() -> None:
    assert bucket_of(0.001) == -1
    assert upper_bound_ms(-1) == 1.0


@pytest.mark.parametrize(
    ("seconds", "bucket"), [(0.0, LOWEST), (1e-9, LOWEST), (-1.0, LOWEST), (1e9, HIGHEST)]
)
def test_what_no_bucket_has_is_in_the_outermost(seconds: float, bucket: int) -> None:
    assert bucket_of(seconds) == bucket


@pytest.mark.parametrize("q", [0.5, 0.95, 0.99])
@pytest.mark.parametrize("spread", ["uniform", "log-normal", "two humps"])
def test_quantiles_are_within_a_few_percent(q: float, spread: str) -> None:
    chance = random.Random(7)
    draw = {
        "uniform": lambda: chance.uniform(1, 100),
        "log-normal": lambda: chance.lognormvariate(3, 1),
        "two humps": lambda: chance.gauss(10, 1) if chance.random() < 0.9 else chance.gauss(900, 50),
    }[spread]
    durations = sorted(abs(draw()) for _ in range(20_000))
    counts: dict[int, int] = {}
    for ms in durations:
        bucket = bucket_of(ms / 1e3)
        counts[bucket] = counts.get(bucket, 0) + 1

    assert quantile(counts, q) == pytest.approx(durations[int(q * len(durations))], rel=0.045)


def test_of_nothing_there_is_no_quantile() -> None:
    assert quantile({}, 0.5) is None


def test_one_duration_is_every_quantile() -> None:
    counts = {bucket_of(0.02): 1}
    assert quantile(counts, 0.5) == pytest.approx(20, rel=0.09)
    assert quantile(counts, 0.99) == pytest.approx(20, rel=0.09)


@pytest.mark.parametrize(
    ("counts", "packed"), [({}, []), ({-3: 2}, [-3, 2]), ({5: 1, -1: 4, 2: 7}, [-1, 4, 0, 0, 7, 0, 0, 1])]
)
def test_packed_and_unpacked(counts: dict[int, int], packed: list[int]) -> None:
    assert pack(counts) == packed
    added = {2: 1}
    unpack(packed, into=added)
    assert added == {bucket: counts.get(bucket, 0) + (bucket == 2) for bucket in {*counts, 2}}
