"""Turns and what is told of them."""

from __future__ import annotations

import pytest

from mizuchi_site.bench.rounds import Sample, Spread, take_turns


def test_sides_take_turns_and_begin_in_turn() -> None:
    order: list[str] = []

    def side(name: str) -> Sample:
        order.append(name)
        return {"cost": float(len(order))}

    heard: list[None] = []
    turns = take_turns(
        {"a": lambda: side("a"), "b": lambda: side("b")}, rounds=2, on_turn=lambda: heard.append(None)
    )
    assert order == ["b", "a", "a", "b", "b", "a"]
    assert [sample["cost"] for sample in turns.samples["a"]] == [3, 6]
    assert len(heard) == 6


def test_a_ratio_is_of_neighbours() -> None:
    costs = iter([1.0, 1.0, 2.0, 1.0, 60.0, 20.0])  # the machine is slow in the second round
    turns = take_turns(
        {"a": lambda: {"cost": next(costs)}, "b": lambda: {"cost": next(costs)}}, rounds=2, warm_up=1
    )
    assert turns.ratio("a", "b", "cost").low <= 2
    assert turns.spread("a", "cost").median == 11


def test_a_spread_is_median_and_quartiles() -> None:
    assert Spread.of([5.0, 1.0, 3.0, 2.0, 4.0]) == Spread(3, 2, 4)
    assert Spread.of([7.0]) == Spread(7, 7, 7)
    with pytest.raises(ValueError, match="no values"):
        Spread.of([])
