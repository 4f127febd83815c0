"""The one processor core that the threads of a worker keep to.

The interpreter runs one thread at a time and passes from one to another at nearly every system call. From
core to core that is a sleep, a wake-up and cold caches, and costs a small upload half as much CPU again as
soon as two come at once; on one core it costs next to nothing.
"""

from __future__ import annotations

import contextlib
import logging
import os
import random
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

_logger = logging.getLogger(__name__)

_STATISTICS: Final = Path("/proc/stat")
_TICKS_A_SECOND: Final = os.sysconf("SC_CLK_TCK")
_GAIN: Final = 0.25
"""How much less of its time another core must be busy to be worth moving to."""
_CHANCE: Final = 0.5
"""That a worker moves then: its neighbours see the same and think the same."""


def busy_seconds() -> Mapping[int, float]:
    """How long each core of the machine has worked so far, see proc(5); nothing where that is not told."""
    with contextlib.suppress(OSError, ValueError):
        lines = [line.split() for line in _STATISTICS.read_text().splitlines() if line.startswith("cpu")]
        return {
            int(name[3:]): sum(map(int, (*ticks[:3], *ticks[5:8]))) / _TICKS_A_SECOND
            for name, *ticks in lines
            if name != "cpu"
        }
    return {}


class Core:
    """For the worker of this ``number``, from 1: those of neighbouring numbers keep to different cores.

    A thread may ``leave``, and ``come_back``: a big body is the kernel's work and needs no interpreter. That
    a core was taken from us meanwhile is no error: the kernel has put the threads elsewhere.
    """

    def __init__(self, number: int, busy: Callable[[], Mapping[int, float]] = busy_seconds) -> None:
        self._allowed = frozenset(os.sched_getaffinity(0))
        self._busy = busy
        self._seen, self._ours, self._seen_at = busy(), time.process_time(), time.monotonic()
        self.current = sorted(self._allowed)[(number - 1) % len(self._allowed)]

    def gather(self) -> None:
        """Bring every thread of the process here; those that they start are born here. Where that is
        forbidden, by a filter of system calls, they run on every core."""
        self._move(self._allowed)
        if os.sched_getaffinity(0) != {self.current}:
            _logger.warning("Threads may not be kept on one core here: small uploads take more CPU")

    def leave(self) -> None:
        """Let the calling thread run on any core."""
        with contextlib.suppress(OSError):
            os.sched_setaffinity(0, self._allowed)

    def come_back(self) -> None:
        """Undo ``leave``."""
        with contextlib.suppress(OSError):
            os.sched_setaffinity(0, {self.current})

    def reconsider(self) -> None:
        """Move when others keep this core busy and another has time. To be called every few seconds."""
        elsewhere = self._work_of_others()
        best = min(self._allowed, key=lambda core: elsewhere.get(core, 0.0))
        is_better = elsewhere.get(self.current, 0.0) - elsewhere.get(best, 0.0) > _GAIN
        if is_better and random.random() < _CHANCE:  # noqa: S311 - not a secret
            left, self.current = self.current, best
            self._move({left})

    def _work_of_others(self) -> Mapping[int, float]:
        """The share of its time that each core worked for others since the last call."""
        seen, ours, now = self._busy(), time.process_time(), time.monotonic()
        worked = {core: seconds - self._seen.get(core, seconds) for core, seconds in seen.items()}
        worked[self.current] = worked.get(self.current, 0.0) - (ours - self._ours)
        passed = max(now - self._seen_at, 1e-3)
        self._seen, self._ours, self._seen_at = seen, ours, now
        return {core: seconds / passed for core, seconds in worked.items()}

    def _move(self, left: frozenset[int] | set[int]) -> None:
        """Bring the threads that keep to the cores ``left`` to the current one."""
        for name in os.listdir("/proc/self/task"):
            with contextlib.suppress(OSError):  # it ended
                if os.sched_getaffinity(int(name)) == left:
                    os.sched_setaffinity(int(name), {self.current})
