"""The threads that run requests: started when needed, up to a number, and then kept."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Generic, TypeVar

Task = TypeVar("Task")

_logger = logging.getLogger(__name__)


class RequestThreads(Generic[Task]):
    """Runs ``handle(task)`` on at most ``count`` threads; tasks beyond wait their turn.

    The threads are daemons: a request that does not end cannot keep the process from ending.
    ``handle`` must not raise. A task that it returns is run again, after those that wait.
    """

    def __init__(self, count: int, handle: Callable[[Task], Task | None]) -> None:
        self._count = count
        self._handle = handle
        self._tasks: SimpleQueue[Task] = SimpleQueue()
        self._idle = threading.Semaphore(0)
        self._started = 0

    def submit(self, task: Task) -> None:
        """Run ``task`` soon. Called from one thread only."""
        self._tasks.put(task)
        if self._started < self._count and not self._idle.acquire(blocking=False):
            self._start_one()

    @property
    def waiting(self) -> int:
        """Tasks that no thread has taken yet."""
        return self._tasks.qsize()

    def _start_one(self) -> None:
        name = f"request-{self._started + 1}"
        try:
            threading.Thread(target=self._run, name=name, daemon=True).start()
        except RuntimeError as error:  # the system gives no more
            _logger.warning("%d threads must do: %s", self._started, error)
        else:
            self._started += 1

    def _run(self) -> None:
        while True:
            again = self._handle(self._tasks.get())
            if again is None:
                self._idle.release()
            else:
                self._tasks.put(again)
