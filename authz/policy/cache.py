"""Remembers what an engine answered, for a while and in a bounded space."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable

from .base import EngineAnswer

MAX_BYTES = 8 * 1024 * 1024
_ENTRY_BYTES = 512  # an answer and the links to it, roughly


class AnswerCache:
    """Answers by whole question, the one used longest ago going first. Thread-safe.

    ``ttl_seconds`` 0 remembers nothing. Failures never come here.
    """

    def __init__(self, ttl_seconds: float, clock: Callable[[], float], *, max_bytes: int = MAX_BYTES) -> None:
        self._ttl_seconds = ttl_seconds
        self._clock = clock
        self._max_bytes = max_bytes
        self._answers: OrderedDict[bytes, tuple[float, EngineAnswer]] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._answers)

    def get(self, key: bytes) -> EngineAnswer | None:
        """What is remembered; None when nothing is, or not any more."""
        with self._lock:
            found = self._answers.get(key)
            if found is None:
                return None
            expires, answer = found
            if self._clock() >= expires:
                self._forget(key)
                return None
            self._answers.move_to_end(key)
            return answer

    def put(self, key: bytes, answer: EngineAnswer) -> None:
        """Remember it; others make room."""
        size = _size(key)
        if self._ttl_seconds <= 0 or size > self._max_bytes:
            return
        with self._lock:
            if key in self._answers:
                self._forget(key)
            self._answers[key] = (self._clock() + self._ttl_seconds, answer)
            self._bytes += size
            while self._bytes > self._max_bytes:
                self._forget(next(iter(self._answers)))

    def _forget(self, key: bytes) -> None:
        del self._answers[key]
        self._bytes -= _size(key)


def _size(key: bytes) -> int:
    return len(key) + _ENTRY_BYTES
