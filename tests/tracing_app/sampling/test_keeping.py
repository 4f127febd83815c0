"""How many of the matching traces a rule keeps, and that rates add up to how many there were."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tracing_app.sampling.traces import trace
from tracing_app.recording.data import TraceData
from tracing_app.sampling.keeping import Keeping, fair_shares, parse_keeping

ANY = trace({"aws.s3.bucket": "a"})


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def of_bucket(bucket: str) -> TraceData:
    return trace({"aws.s3.bucket": bucket})


def rates(keeping: Keeping, number: int, like: TraceData = ANY, seed: int = 1) -> list[float]:
    chance = random.Random(seed)
    return [keeping.rate(chance.getrandbits(128), like.spans) for _ in range(number)]


@pytest.mark.parametrize(
    ("text", "kept", "rate"),
    [
        ("always", 1000, 1),
        ("never", 0, 0),
        ("1", 1000, 1),
        (1.0, 1000, 1),
        ("0", 0, 0),
        ("100%", 1000, 1),
        ("0%", 0, 0),
    ],
)
def test_all_or_none(text: str | float, kept: int, rate: float) -> None:
    found = rates(parse_keeping(text), 1000)

    assert sum(value > 0 for value in found) == kept
    assert set(found) == {rate}


@pytest.mark.parametrize(
    ("text", "ratio"),
    [("0.1", 0.1), (0.1, 0.1), ("10%", 0.1), ("0.5", 0.5), ("2.5 %".replace(" ", ""), 0.025)],
)
def test_a_ratio(text: str | float, ratio: float) -> None:
    found = rates(parse_keeping(text), 20_000)

    assert sum(value > 0 for value in found) == pytest.approx(20_000 * ratio, rel=0.15)
    assert {value for value in found if value} == {1 / ratio}
    assert sum(found) == pytest.approx(20_000, rel=0.15)


def test_a_ratio_says_the_same_of_the_same_trace_everywhere() -> None:
    here, there = parse_keeping("0.3"), parse_keeping("30%")

    assert rates(here, 1000) == rates(there, 1000)


@pytest.mark.parametrize(
    "text",
    ["", "sometimes", "-1", "1.5", "101%", "5/m", "5/s per", "5/s per nonsense", "/s", "nan", "inf", "1e-3x"],
)
def test_what_is_none(text: str) -> None:
    with pytest.raises(ValueError, match=r"must be|is no field"):
        parse_keeping(text)


def test_so_many_a_second() -> None:
    clock = Clock()
    keeping = parse_keeping("10/s", clock)

    kept = total = 0.0
    for _ in range(1000):  # ten seconds, a hundred a second
        clock.now += 0.01
        rate = keeping.rate(1, ANY.spans)
        kept += rate > 0
        total += rate

    assert 100 <= kept <= 110
    assert total == pytest.approx(1000, abs=15)


def test_a_budget_is_shared_fairly() -> None:
    clock = Clock()
    keeping = parse_keeping("50/s per bucket", clock)
    traces = {"busy": of_bucket("busy"), "rare": of_bucket("rare"), "middle": of_bucket("middle")}
    chance = random.Random(7)
    kept = dict.fromkeys(traces, 0)
    total = dict.fromkeys(traces, 0.0)
    seen = dict.fromkeys(traces, 0)

    for step in range(60_000):  # a minute, a thousand a second
        clock.now += 0.001
        bucket = "rare" if step % 200 == 0 else "middle" if step % 20 == 0 else "busy"
        rate = keeping.rate(chance.getrandbits(128), traces[bucket].spans)
        seen[bucket] += 1
        kept[bucket] += rate > 0
        total[bucket] += rate

    assert kept["rare"] == seen["rare"], "five a second are less than its part"
    assert sum(kept.values()) / 60 == pytest.approx(50, rel=0.15)
    assert kept["busy"] / 60 == pytest.approx(22.5, rel=0.25)
    assert kept["middle"] / 60 == pytest.approx(22.5, rel=0.25)
    for bucket in traces:
        assert total[bucket] == pytest.approx(seen[bucket], rel=0.02)


def test_a_budget_holds_when_everybody_is_new() -> None:
    clock = Clock()
    keeping = parse_keeping("10/s per bucket", clock)

    kept = sum(keeping.rate(number, of_bucket(f"b{number}").spans) > 0 for number in range(3000))

    assert kept <= 20, "no more than twice a second's budget at once"


@given(
    st.dictionaries(st.text(max_size=3), st.floats(0.01, 1e6), min_size=1, max_size=20),
    st.floats(0.1, 1e6),
)
def test_shares_are_fair(demands: dict[str, float], budget: float) -> None:
    shares = fair_shares(demands, budget)

    assert sum(shares.values()) == pytest.approx(min(budget, sum(demands.values())))
    assert all(share <= demands[key] * (1 + 1e-9) for key, share in shares.items())
    unmet = [share for key, share in shares.items() if share < demands[key] * (1 - 1e-9)]
    assert all(share == pytest.approx(max(shares.values())) for share in unmet)
