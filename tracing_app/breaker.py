"""A circuit breaker: after failures on end nobody is asked for a while, then one try decides."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Literal

State = Literal["closed", "open", "half-open"]


class Breaker:
    """Closed, open, half-open. Thread-safe.

    Every try that ``allows`` lets through is to be followed by a success or a failure.
    """

    def __init__(self, *, failures: int, reset_seconds: float, clock: Callable[[], float]) -> None:
        self._limit = failures
        self._reset_seconds = reset_seconds
        self._clock = clock
        self._failures = 0
        self._state: State = "closed"
        self._since = clock()
        self._lock = threading.Lock()

    @property
    def state(self) -> State:
        return self._state

    @property
    def seconds_in_state(self) -> float:
        """For how long it has been in this state."""
        return self._clock() - self._since

    def allows(self) -> bool:
        """Whether a try may be made now; the first one after the reset time is the only one."""
        with self._lock:
            if self._state == "closed":
                return True
            if self._state == "open" and self.seconds_in_state >= self._reset_seconds:
                self._enter("half-open")
                return True
            return False

    @property
    def is_blocking(self) -> bool:
        """Whether ``allows`` would say no now; nothing changes."""
        with self._lock:
            if self._state == "open":
                return self.seconds_in_state < self._reset_seconds
            return self._state == "half-open"

    def record_success(self) -> None:
        with self._lock:
            self._failures = 0
            if self._state != "closed":
                self._enter("closed")

    def record_failure(self) -> None:
        with self._lock:
            self._failures += 1
            if self._state == "half-open" or (self._state == "closed" and self._failures >= self._limit):
                self._enter("open")

    def _enter(self, state: State) -> None:
        self._state = state
        self._since = self._clock()
