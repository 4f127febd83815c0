"""Every benchmark by its name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from . import export, instructions, memory, overhead, policy, sampling, scale, sigv4, spans, upload
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
    "instructions": Benchmark(
        "what a worker executes for a small upload, counted by valgrind",
        instructions.measure,
        instructions.steps,
    ),
    "spans": Benchmark("what recording and encoding cost, the SDK beside it", spans.measure, spans.steps),
    "export": Benchmark(
        "how long traces take to a collector, and what becomes of them while it is away",
        export.measure,
        export.steps,
    ),
    "sampling": Benchmark("what the verdict on a trace costs", sampling.measure, sampling.steps),
    "memory": Benchmark(
        "what a worker holds: uploads in flight, queued traces, big bodies, growth",
        memory.measure,
        memory.steps,
    ),
    "upload": Benchmark(
        "throughput and CPU by storage, size and form of bodies, nginx beside it",
        upload.measure,
        upload.steps,
    ),
    "scale": Benchmark(
        "what more workers, nodes, slow uploads and records change", scale.measure, scale.steps
    ),
    "policy": Benchmark("what a decision of policy engines costs", policy.measure, policy.steps),
    "sigv4": Benchmark("what a signature costs", sigv4.measure, sigv4.steps),
}
