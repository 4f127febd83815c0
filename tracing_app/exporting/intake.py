"""What is offered for export: queued, counted, and for want of room dropped or spooled."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from .config import BatchConfig
from .delivery import Batch
from .export_path import QueueNumbers
from .overflow import Overflow
from .stats import Ledger
from .trace_queue import Queued, TraceQueue

T = TypeVar("T")


class Intake(Generic[T]):
    """Every method is called under ``lock``; ``changed``, a condition of it, hears when a batch is full.

    ``spool`` takes what the queue is about to have no room for; without one it is dropped.
    """

    def __init__(
        self,
        config: BatchConfig,
        ledger: Ledger,
        lock: threading.Lock,
        changed: threading.Condition,
        *,
        spool: Callable[[Batch[T]], None] | None,
        thread_name: str,
    ) -> None:
        self._full_batch = config.max_export_batch_size
        self._max_batch_bytes = config.max_export_batch_bytes
        self._ledger = ledger
        self._changed = changed
        self._queue: TraceQueue[T] = TraceQueue(
            max_spans=config.max_queue_spans, max_bytes=config.max_queue_bytes
        )
        self._spans_offered = 0
        self._traces_offered = 0
        self.is_closed = False
        self.overflow: Overflow[T] | None = None
        if spool is not None:
            self.overflow = Overflow(
                lock,
                changed,
                is_crowded=lambda: self._queue.is_crowded,
                take=self.take_batch,
                keep=spool,
                thread_name=thread_name,
            )

    @property
    def is_empty(self) -> bool:
        return len(self._queue) == 0

    @property
    def is_settled(self) -> bool:
        """Whether nothing of the queue is on its way to the spool."""
        return self.overflow is None or not self.overflow.is_busy

    @property
    def has_full_batch(self) -> bool:
        return self._queue.spans >= self._full_batch

    def put(self, item: Queued[T]) -> None:
        """Take it in. Without room, those without an error go first."""
        self._traces_offered += 1
        self._spans_offered += item.spans
        if self.is_closed:
            self._ledger.drop("closed", item.spans, 1)
            return
        queue, full = self._queue, self._full_batch
        was_below = queue.spans < full
        evicted = queue.put(item)
        if evicted.traces:
            self._ledger.drop("queue_full", evicted.spans, evicted.traces)
        if was_below and queue.spans >= full:
            self._changed.notify_all()
        if self.overflow is not None and queue.is_crowded:
            self.overflow.relieve()

    def take_batch(self) -> Batch[T] | None:
        """The next batch, None when nothing is queued."""
        items = self._queue.take(max_spans=self._full_batch, max_bytes=self._max_batch_bytes)
        return Batch(items) if items else None

    def close(self) -> None:
        """Take in nothing more: what is offered from now on is dropped and counted."""
        self.is_closed = True
        if self.overflow is not None:
            self.overflow.close()

    def numbers(self, in_flight: Batch[T] | None) -> QueueNumbers:
        """How it stands now; ``in_flight`` is what the thread has that exports."""
        return QueueNumbers(
            spans_offered=self._spans_offered,
            traces_offered=self._traces_offered,
            spans=self._queue.spans,
            traces=len(self._queue),
            bytes=self._queue.bytes,
            in_flight_spans=(in_flight.spans if in_flight and not in_flight.is_settled else 0)
            + (self.overflow.spans if self.overflow else 0),
        )
