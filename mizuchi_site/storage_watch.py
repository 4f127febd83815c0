"""Whether the storages behind buckets answer, for pages that must not wait for one that does not."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence

from tracing_app.health.base import Check, Health


class StorageWatch:
    """Runs checks at the same time, each by itself. Thread-safe.

    An outcome is good for ``fresh_seconds``. Of each check one is under way at most, however often it is
    asked for: one that hangs costs one thread, and whoever asks waits ``wait_seconds`` and no longer.
    """

    def __init__(
        self,
        checks: Callable[[], Sequence[Check]],
        *,
        wait_seconds: float = 2.0,
        fresh_seconds: float = 5.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._checks = checks
        self._wait_seconds = wait_seconds
        self._fresh_seconds = fresh_seconds
        self._clock = clock
        self._changed = threading.Condition()
        self._under_way: set[str] = set()
        self._outcomes: dict[str, tuple[float, Health]] = {}

    def outcomes(self) -> Mapping[str, Health]:
        """By the checks' names. What does not answer in time has failed."""
        checks = self._checks()
        with self._changed:
            for check in checks:
                self._begin(check)
            names = [check.name for check in checks]
            self._changed.wait_for(lambda: self._under_way.isdisjoint(names), self._wait_seconds)
            return {name: self._outcome(name) for name in names}

    def _begin(self, check: Check) -> None:
        ended_at, _ = self._outcomes.get(check.name, (None, None))
        is_fresh = ended_at is not None and self._clock() - ended_at < self._fresh_seconds
        if not is_fresh and check.name not in self._under_way:
            self._under_way.add(check.name)
            threading.Thread(
                target=self._run, args=(check,), name=f"checks {check.name}", daemon=True
            ).start()

    def _run(self, check: Check) -> None:
        outcome = check.run()
        with self._changed:
            self._outcomes[check.name] = (self._clock(), outcome)
            self._under_way.discard(check.name)
            self._changed.notify_all()

    def _outcome(self, name: str) -> Health:
        if name in self._under_way:
            detail = f"no answer within {self._wait_seconds:g} seconds"
            return Health(name, "failed", detail, self._wait_seconds)
        return self._outcomes[name][1]
