"""When a worker that died is replaced."""

from __future__ import annotations

from dataclasses import dataclass

FIRST_SECONDS = 0.1
LONGEST_SECONDS = 5.0
SETTLED_SECONDS = 10.0


@dataclass(slots=True)
class Backoff:
    """At once after a worker that had settled; after a growing moment when it keeps dying. Never gives up."""

    _deaths: int = 0

    def after(self, lifetime_seconds: float) -> float:
        """Seconds to wait before the replacement of a worker that lived ``lifetime_seconds``."""
        if lifetime_seconds >= SETTLED_SECONDS:
            self._deaths = 0
        delay = FIRST_SECONDS * 2.0 ** min(self._deaths - 1, 16) if self._deaths else 0.0
        self._deaths += 1
        return min(delay, LONGEST_SECONDS)
