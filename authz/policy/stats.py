"""What an engine did so far in this process, for operators."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from tracing_app.breaker import State

from .verdict import BREAKER_OPEN, Verdict


@dataclass(frozen=True, slots=True)
class EngineStats:
    """Counts since the process began; times are Unix seconds, 0 for never. ``mean_ms`` is over the latest
    answers that were asked for, not remembered."""

    engine: str
    endpoint: str
    buckets: tuple[str, ...]
    breaker: State
    seconds_in_state: float
    allowed: int
    denied: int
    failed: int
    cache_hits: int
    cache_entries: int
    last_ms: float
    mean_ms: float
    last_error: str
    last_error_at: float


class Tally:
    """Counts verdicts. Thread-safe."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self.outcomes = {"allow": 0, "deny": 0, "error": 0}
        self.cache_hits = 0
        self.last_seconds = 0.0
        self.mean_seconds = 0.0
        self.last_error = ""
        self.last_error_at = 0.0

    def count(self, verdict: Verdict) -> None:
        with self._lock:
            self.outcomes[verdict.outcome] += 1
            if verdict.is_cached:
                self.cache_hits += 1
            elif verdict.outcome == "error":
                self._blame(verdict)
            else:
                self._time(verdict.seconds)

    def _blame(self, verdict: Verdict) -> None:
        """That nobody was asked is no cause: what led to it stays."""
        if verdict.reason != BREAKER_OPEN:
            self.last_error = verdict.detail or verdict.reason
            self.last_error_at = self._clock()

    def _time(self, seconds: float) -> None:
        """An exponentially weighted mean: the last 20 answers make up two thirds of it."""
        self.last_seconds = seconds
        self.mean_seconds += (seconds - self.mean_seconds) * (0.05 if self.mean_seconds else 1.0)
