"""Every benchmark by its name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from . import overhead, sampling, sigv4, spans
from .report import Table


class Measure(Protocol):
    """Runs a benchmark in a folder that is thrown away; ``on_turn`` hears of each step."""

    def __call__(self, folder: Path, *, is_quick: bool, on_turn: Callable[[], None]) -> list[Table]: ...


@dataclass(frozen=True, slots=True)
class Benchmark:
    """``steps(is_quick)`` is how often ``measure`` calls ``on_turn``."""

    about: str
    measure: Measure
    steps: Callable[[bool], int]


BENCHMARKS: Mapping[str, Benchmark] = {
    "overhead": Benchmark(
        "what tracing costs a request: off, sampled at the tail, all exported",
        overhead.measure,
        overhead.steps,
    ),
    "spans": Benchmark("what recording and encoding cost, the SDK beside it", spans.measure, spans.steps),
    "sampling": Benchmark("what the verdict on a trace costs", sampling.measure, sampling.steps),
    "sigv4": Benchmark("what a signature costs", sigv4.measure, sigv4.steps),
}
