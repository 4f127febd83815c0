"""The sink that traces (or log records) are offered to, and the one thread of a process that exports them.

``offer`` puts a trace into a bounded queue and is done. ``flush`` and ``shutdown`` keep their deadlines
whatever the transport does: a batch whose thread hangs is taken out of its hands.
"""

from __future__ import annotations

import logging
import os
import random
import threading
import time
import weakref
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from .config import ExportConfig
from .delivery import Batch, Encoder
from .export_path import Clocks, ExportPath
from .intake import Intake
from .stats import ExportStats
from .transport import Transport

logger = logging.getLogger("mizuchi.tracing.export")

_RESERVE_SECONDS = 0.5

T = TypeVar("T")

_workers: weakref.WeakSet[ExportWorker[Any]] = weakref.WeakSet()


class ExportWorker(Generic[T]):
    """For traces, a ``TraceSink``. Its thread starts with the first, or with ``start``; after a fork anew."""

    def __init__(
        self,
        config: ExportConfig,
        transport: Transport,
        encoder: Encoder[T],
        *,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
        random: Callable[[], float] = random.random,
    ) -> None:
        self._config = config
        self._batch_config = config.batch
        self._transport = transport
        self._encoder = encoder
        self._clocks = Clocks(clock, now, random)
        self._clock = clock
        self._begin()
        _workers.add(self)

    def _begin(self) -> None:
        """Everything that belongs to one process."""
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._path = ExportPath(self._config, self._transport, self._encoder, self._clocks)
        self._ledger = self._path.ledger
        self._intake: Intake[T] = Intake(
            self._batch_config,
            self._ledger,
            self._lock,
            self._changed,
            spool=self._spool if self._path.spool else None,
            thread_name=f"{self._encoder.signal.thread_name}-overflow",
        )
        self._thread: threading.Thread | None = None
        self._in_flight: Batch[T] | None = None
        self._due_at = self._clock() + self._batch_config.scheduled_delay_seconds
        self._flushes_wanted = 0
        self._flushes_done = 0
        self._hurry_until: float | None = None

    # For the threads of requests.

    def offer(self, content: T) -> None:
        """Queue a trace; see ``TraceSink``. Without room, traces without an error go first."""
        item = self._encoder.prepare(content)
        with self._lock:
            self._intake.put(item)
            if self._thread is None and not self._intake.is_closed:
                self._start_thread()

    # For whoever runs the process.

    def start(self) -> None:
        """Start the thread now, so that a spool from before is replayed without waiting for a trace."""
        with self._lock:
            if self._thread is None and not self._intake.is_closed:
                self._due_at = self._clock()
                self._start_thread()

    def flush(self, deadline_seconds: float) -> bool:
        """Export what is queued. Whether all of it was exported or spooled by then; the rest stays queued."""
        ends = self._clock() + deadline_seconds
        lost = self._ledger.spans_lost
        if not self._lock.acquire(timeout=deadline_seconds):
            return False
        try:
            if self._thread is None:
                return self._intake.is_empty
            wanted = self._want_flush(deadline_seconds)
            is_done = self._changed.wait_for(
                lambda: self._flushes_done >= wanted and self._intake.is_settled,
                max(ends - self._clock(), 0),
            )
            if not is_done and not self._intake.is_closed:
                self._flushes_done = max(self._flushes_done, wanted)
                self._hurry_until = None
        finally:
            self._lock.release()
        return is_done and self._ledger.spans_lost == lost

    def hurry(self, deadline_seconds: float) -> None:
        """Begin to flush, and return at once."""
        if not self._lock.acquire(timeout=deadline_seconds):
            return
        try:
            if self._thread is not None:
                self._want_flush(deadline_seconds)
        finally:
            self._lock.release()

    def shutdown(self, deadline_seconds: float) -> bool:
        """Export or spool what is queued, take nothing more. Whether nothing was lost."""
        is_whole = self._shut_down(deadline_seconds)
        self._path.tell_end()
        return is_whole

    def _shut_down(self, deadline_seconds: float) -> bool:
        ends = self._clock() + deadline_seconds
        reserve = _reserve(deadline_seconds)
        lost = self._ledger.spans_lost
        # Held by the very code that a signal's handler interrupted, the lock would never be free.
        if not self._lock.acquire(timeout=deadline_seconds):
            return False
        try:
            self._intake.close()
            self._hurry_until = ends - reserve
            thread = self._thread
            self._changed.notify_all()
        finally:
            self._lock.release()
        if thread:
            thread.join(max(ends - reserve - self._clock(), 0))
        settled = self._take_over(ends)
        if self._intake.overflow:
            self._intake.overflow.join(max(ends - self._clock(), 0))
        if thread and settled:
            # Not ours to take any more: the thread is about to write it down.
            thread.join(max(ends - self._clock(), 0))
            return not thread.is_alive() and self._ledger.spans_lost == lost
        return self._ledger.spans_lost == lost

    def stats(self) -> ExportStats:
        """How it stands now."""
        with self._lock:
            # The ledger first: a batch that ends meanwhile may be missing for a moment, never counted twice.
            counts = self._ledger.counts()
            numbers = self._intake.numbers(self._in_flight)
        return self._path.snapshot(numbers, counts)

    def _want_flush(self, deadline_seconds: float) -> int:
        """The number of the flush that is wanted from now on. Under the lock."""
        self._flushes_wanted += 1
        # Nothing is to be lost by a flush: without a spool the time is all for sending.
        spooling = _reserve(deadline_seconds) if self._path.spool else 0.0
        self._hurry_until = self._clock() + deadline_seconds - spooling
        self._changed.notify_all()
        return self._flushes_wanted

    # Pace: what the delivery asks.

    def try_seconds(self) -> float:
        timeout = self._config.otlp.timeout_seconds if self._config.otlp else 10.0
        hurry_until = self._hurry_until
        return timeout if hurry_until is None else min(timeout, hurry_until - self._clock())

    def pause(self, seconds: float) -> bool:
        with self._lock:
            return not self._changed.wait_for(self._is_pressed, seconds)

    # The thread.

    def _start_thread(self) -> None:
        thread = threading.Thread(target=self._run, name=self._encoder.signal.thread_name, daemon=True)
        try:
            thread.start()
        except RuntimeError:
            # No thread to be had, or the interpreter is ending: shutdown spools what is queued.
            logger.warning("the thread that exports %s cannot be started", self._encoder.signal.plural)
            return
        self._thread = thread

    def _run(self) -> None:
        has_more = False
        while self._await_work(0 if has_more else None):
            batch = self._next_batch()
            try:
                has_more = self._export(batch)
            except Exception as error:  # noqa: BLE001 - told there; the thread goes on
                self._ledger.surprise(f"exporting {self._encoder.signal.plural} failed", error)
                has_more = False
            self._finish(batch)
        self._transport.close()

    def _export(self, batch: Batch[T] | None) -> bool:
        """Deliver a batch, then some of the spool; whether more of it may be sent now."""
        if batch:
            self._path.delivery.deliver(batch, self)
        if self._hurry_until is not None or self._config.spool is None:
            return False
        return self._path.delivery.replay(self._config.spool.replay_at_once, self)

    def _await_work(self, seconds: float | None) -> bool:
        """Wait for a full batch, the delay, or a flush; False when closed and empty."""
        with self._lock:
            until_due = max(self._due_at - self._clock(), 0)
            self._changed.wait_for(self._is_pressed, until_due if seconds is None else seconds)
            return not self._intake.is_closed or not self._intake.is_empty

    def _is_pressed(self) -> bool:
        return (
            self._intake.is_closed or self._flushes_wanted > self._flushes_done or self._intake.has_full_batch
        )

    def _next_batch(self) -> Batch[T] | None:
        with self._lock:
            if not self._is_pressed() and self._clock() < self._due_at:
                return None
            self._in_flight = self._intake.take_batch()
            if self._intake.is_empty:
                self._due_at = self._clock() + self._batch_config.scheduled_delay_seconds
            return self._in_flight

    def _spool(self, batch: Batch[T]) -> None:
        try:
            self._path.delivery.keep(batch, "queue_full")
        except Exception as error:  # noqa: BLE001 - told there; the thread goes on
            self._ledger.surprise("spooling what the queue could not hold failed", error)
        finally:
            self._count_failed(batch)

    def _count_failed(self, batch: Batch[T]) -> None:
        """What nobody has dealt with is lost."""
        if batch.settle():
            self._ledger.drop("failed", batch.spans, batch.traces)

    def _finish(self, batch: Batch[T] | None) -> None:
        if batch:
            self._count_failed(batch)
        with self._lock:
            self._in_flight = None
            if self._intake.is_empty and self._flushes_wanted > self._flushes_done:
                self._flushes_done = self._flushes_wanted
                if not self._intake.is_closed:
                    self._hurry_until = None
                self._changed.notify_all()

    def _take_over(self, ends: float) -> bool:
        """Spool what the thread has not dealt with in its time; count what there is no time for.

        Whether the thread has a batch that it has settled and not finished.
        """
        with self._lock:
            in_flight = self._in_flight
            is_settled = in_flight is not None and in_flight.is_settled
            batches = [in_flight] if in_flight and not is_settled else []
            while batch := self._intake.take_batch():
                batches.append(batch)
        for batch in batches:
            if self._clock() < ends:
                self._path.delivery.keep(batch, "shutdown")
            elif batch.settle():
                self._ledger.drop("shutdown", batch.spans, batch.traces)
        return is_settled

    def _begin_after_fork(self) -> None:
        """What is queued and in flight is the parent's, which exports it."""
        self._path.delivery.abandon()
        self._begin()


def _reserve(deadline_seconds: float) -> float:
    """The part of a deadline kept for spooling what could not be sent."""
    return min(_RESERVE_SECONDS, deadline_seconds / 4)


def _after_fork_in_child() -> None:
    for worker in list(_workers):
        worker._begin_after_fork()


os.register_at_fork(after_in_child=_after_fork_in_child)
