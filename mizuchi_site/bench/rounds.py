"""Taking turns, and what was found: medians with their spread, ratios of neighbours in time."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Spread:
    """The median and the quartiles of some values."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Raises ValueError when there are none."""
        if not values:
            raise ValueError("no values")
        ordered = sorted(values)
        if len(ordered) == 1:
            return cls(ordered[0], ordered[0], ordered[0])
        low, median, high = statistics.quantiles(ordered, n=4, method="inclusive")
        return cls(median, low, high)


Sample = Mapping[str, float]
"""What one turn of one side measured, by name."""


@dataclass(frozen=True, slots=True)
class Turns:
    """What each side measured in each round, the warm-up left out."""

    samples: Mapping[str, Sequence[Sample]]

    def spread(self, side: str, what: str) -> Spread:
        return Spread.of([sample[what] for sample in self.samples[side]])

    def ratio(self, side: str, to: str, what: str) -> Spread:
        """Of each round, this side's value over the other's: what disturbs a machine disturbs both."""
        pairs = zip(self.samples[side], self.samples[to], strict=True)
        return Spread.of([ours[what] / theirs[what] for ours, theirs in pairs if theirs[what]])


def take_turns(
    sides: Mapping[str, Callable[[], Sample]],
    *,
    rounds: int,
    warm_up: int = 1,
    on_turn: Callable[[], None] = lambda: None,
) -> Turns:
    """Run every side once in each round, each round beginning with another side; ``on_turn`` after each.

    The first ``warm_up`` rounds are run and not counted.
    """
    names = list(sides)
    found: dict[str, list[Sample]] = {name: [] for name in names}
    for number in range(-warm_up, rounds):
        first = number % len(names)
        for name in names[first:] + names[:first]:
            sample = sides[name]()
            if number >= 0:
                found[name].append(sample)
            on_turn()
    return Turns(found)
