"""What the queue cannot hold while a try takes its time: spooled by a second thread."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from .delivery import Batch

T = TypeVar("T")


class Overflow(Generic[T]):
    """Its thread starts when the queue is crowded for the first time.

    The one thread that sends may be held up by a collector for the whole time of a try, and a busy gateway
    fills the queue in less: without this, traces would be lost beside an empty spool. ``lock`` is the
    queue's; ``is_crowded`` and ``take`` are called under it, ``keep``, which raises nothing, without.
    ``changed`` hears of each batch's end.
    """

    def __init__(
        self,
        lock: threading.Lock,
        changed: threading.Condition,
        *,
        is_crowded: Callable[[], bool],
        take: Callable[[], Batch[T] | None],
        keep: Callable[[Batch[T]], None],
        thread_name: str,
    ) -> None:
        self._lock = lock
        self._crowded = threading.Condition(lock)
        self._changed = changed
        self._is_crowded = is_crowded
        self._take = take
        self._keep = keep
        self._thread_name = thread_name
        self._thread: threading.Thread | None = None
        self._batch: Batch[T] | None = None
        self._is_closed = False

    @property
    def is_busy(self) -> bool:
        """Whether it has a batch. Under the lock, as all but ``join``."""
        return self._batch is not None

    @property
    def spans(self) -> int:
        """Those of a batch that is not spooled yet."""
        return self._batch.spans if self._batch and not self._batch.is_settled else 0

    def relieve(self) -> None:
        """The queue is crowded."""
        if self._thread is None:
            thread = threading.Thread(target=self._run, name=self._thread_name, daemon=True)
            try:
                thread.start()
            except RuntimeError:
                return  # no thread to be had: the queue drops what it cannot hold, and counts it
            self._thread = thread
        self._crowded.notify()

    def close(self) -> None:
        """Take nothing more."""
        self._is_closed = True
        self._crowded.notify()

    def join(self, timeout_seconds: float) -> None:
        """After ``close``: wait for the batch it has."""
        if self._thread is not None:
            self._thread.join(timeout_seconds)

    def _run(self) -> None:
        while batch := self._next_batch():
            self._keep(batch)
            with self._lock:
                self._batch = None
                self._changed.notify_all()

    def _next_batch(self) -> Batch[T] | None:
        with self._lock:
            while not self._is_closed:
                if self._is_crowded() and (batch := self._take()):
                    self._batch = batch
                    return batch
                self._crowded.wait()
            return None
