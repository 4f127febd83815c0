"""Families of the tests' own, and boards."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tracing_app.metrics import families
from tracing_app.metrics.board import Board, OpenedBoard
from tracing_app.metrics.families import Counter, Family, Gauge, Histogram, Label
from tracing_app.metrics.readings import Reading

KEPT, DROPPED = "a" * 32, "b" * 32


class Samples:
    """One family of each kind."""

    def __init__(self) -> None:
        self.cakes = Counter("test_cakes", "Cakes.", otlp="test.cakes", labels=[Label("kind", "cake.kind")])
        self.ovens = Gauge("test_ovens", "Ovens that are on.", otlp="test.ovens")
        self.heat = Gauge("test_heat", "The hottest.", otlp="test.heat", is_maximum=True)
        self.baking = Histogram(
            "test_baking_seconds",
            "Time in the oven.",
            otlp="test.baking.time",
            bounds=(1.0, 10.0),
            labels=[Label("kind", "cake.kind"), Label("status", "http.status", is_number=True)],
            unit="seconds",
            constants={"shop": "here"},
        )

    @property
    def all(self) -> tuple[Family, ...]:
        return self.cakes, self.ovens, self.heat, self.baking


@contextmanager
def only_samples(monkeypatch: pytest.MonkeyPatch) -> Iterator[Samples]:
    """Declared for a test, and nothing is noted for others afterwards."""
    monkeypatch.setattr(families, "_FAMILIES", {})
    monkeypatch.setattr(families._Noting, "notes", None)
    yield Samples()


def source(*readings: Reading) -> Callable[[], Iterator[Reading]]:
    return lambda: iter(readings)


@contextmanager
def board(slots: int) -> Iterator[Board]:
    with OpenedBoard(slots) as opened:
        yield Board(opened.fileno())
