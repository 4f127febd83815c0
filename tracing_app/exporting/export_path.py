"""What lies behind the queue, as one process has it: breaker, spool, delivery, and their counts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from tracing_app.breaker import Breaker

from .config import ExportConfig
from .delivery import Delivery, Encoder
from .spool import Spool, SpoolUsage
from .state_log import StateLog
from .stats import Counts, ExportStats, Ledger
from .transport import Transport

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Clocks:
    """``monotonic`` measures, ``unix`` tells moments; ``random`` is from 0 to 1, for jitter."""

    monotonic: Callable[[], float]
    unix: Callable[[], float]
    random: Callable[[], float]


@dataclass(frozen=True, slots=True)
class QueueNumbers:
    """What the worker knows of its queue."""

    spans_offered: int
    traces_offered: int
    spans: int
    traces: int
    bytes: int
    in_flight_spans: int


class ExportPath(Generic[T]):
    """Built anew after a fork: nothing of it is shared with a parent but the spool's directory."""

    def __init__(
        self, config: ExportConfig, transport: Transport, encoder: Encoder[T], clocks: Clocks
    ) -> None:
        self._clocks = clocks
        self._log = StateLog(clocks.unix, encoder.signal)
        self.ledger = Ledger(self._log, clocks.unix)
        self._breaker = Breaker(
            failures=config.breaker.failures,
            reset_seconds=config.breaker.reset_seconds,
            clock=clocks.monotonic,
        )
        self.spool = (
            Spool(config.spool.directory, max_bytes=config.spool.max_bytes, on_loss=self.ledger.drop)
            if config.spool
            else None
        )
        self.delivery: Delivery[T] = Delivery(
            transport=transport,
            encoder=encoder,
            breaker=self._breaker,
            spool=self.spool,
            retry=config.retry,
            ledger=self.ledger,
            clock=clocks.monotonic,
            random=clocks.random,
        )

    def tell_end(self) -> None:
        """Say what this process has lost, if anything: its counts end with it."""
        self._log.end(self.ledger.counts().traces_dropped)

    def snapshot(self, queue: QueueNumbers, counts: Counts) -> ExportStats:
        """All counts at this moment."""
        return ExportStats(
            spans_offered=queue.spans_offered,
            traces_offered=queue.traces_offered,
            spans_exported=counts.spans_exported,
            traces_exported=counts.traces_exported,
            spans_rejected=counts.spans_rejected,
            spans_dropped=counts.spans_dropped,
            traces_dropped=counts.traces_dropped,
            retries=counts.retries,
            queue_spans=queue.spans,
            queue_traces=queue.traces,
            queue_bytes=queue.bytes,
            in_flight_spans=queue.in_flight_spans,
            spool=self.spool.usage() if self.spool else SpoolUsage(),
            breaker=self._breaker.state,
            breaker_since=self._clocks.unix() - self._breaker.seconds_in_state,
            state=self._log.state,
            state_since=self._log.since,
            last_success_at=counts.last_success_at,
            last_error=counts.last_error,
            last_error_at=counts.last_error_at,
        )
