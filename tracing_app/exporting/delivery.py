"""One batch on its way: encode, try, try again, spool. And the spool's way back."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, Generic, Protocol, TypeVar

from tracing_app.breaker import Breaker

from .config import RetryConfig
from .signal import Signal
from .spool import Claim, Spool
from .stats import DropReason, Ledger
from .trace_queue import Queued
from .transport import Accepted, Outcome, Permanent, Retryable, Transport

logger = logging.getLogger("mizuchi.tracing.export")

# A hostile collector must not send us away for good.
_MAX_RETRY_AFTER_SECONDS: Final = 300.0
_MIN_TRY_SECONDS: Final = 0.05

T = TypeVar("T")
T_contra = TypeVar("T_contra", contravariant=True)


class Encoder(Protocol[T_contra]):
    """What is exported, as an item of the queue and as the bytes of one request."""

    @property
    def signal(self) -> Signal: ...

    def prepare(self, content: T_contra, /) -> Queued[Any]:
        """An item of the queue, of whatever ``encode`` takes. Runs on a request's thread; raises nothing."""

    def encode(self, contents: Iterable[Any], /) -> bytes:
        """``b""`` when there is nothing to send. May raise anything for a content that cannot be encoded."""


class Pace(Protocol):
    """How much time there is: the worker knows of deadlines and of what waits in the queue."""

    def try_seconds(self) -> float:
        """How long one try may take now."""

    def pause(self, seconds: float) -> bool:
        """Wait before the next try; False when there is no time for one, at once when that is so."""


class Batch(Generic[T]):
    """Traces (or log records) taken from the queue.

    Whoever settles it first decides what became of it, and counts it.
    """

    def __init__(self, items: Sequence[Queued[T]]) -> None:
        self.items = items
        self.spans = sum(item.spans for item in items)
        self.payload = b""
        self._lock = threading.Lock()

    @property
    def traces(self) -> int:
        return len(self.items)

    def settle(self) -> bool:
        """Whether the caller is the first. The lock is never given back: that is the record."""
        return self._lock.acquire(blocking=False)

    @property
    def is_settled(self) -> bool:
        return self._lock.locked()


class Delivery(Generic[T]):
    """For one thread at a time, but ``keep``, which others may call for a batch of theirs, or whose thread
    hangs."""

    def __init__(
        self,
        *,
        transport: Transport,
        encoder: Encoder[T],
        breaker: Breaker,
        spool: Spool | None,
        retry: RetryConfig,
        ledger: Ledger,
        clock: Callable[[], float],
        random: Callable[[], float],
    ) -> None:
        self._transport = transport
        self._encoder = encoder
        self._breaker = breaker
        self._spool = spool
        self._retry = retry
        self._ledger = ledger
        self._clock = clock
        self._random = random
        self._not_before = clock()
        self._claim: Claim | None = None
        self._has_told_unencodable = False
        self._encoding = threading.Lock()

    def deliver(self, batch: Batch[T], pace: Pace) -> None:
        """Send a batch, or spool it when that fails or would."""
        if not self._encode(batch):
            return
        if pace.try_seconds() < _MIN_TRY_SECONDS or not self._may_try():
            self.keep(batch, "no_spool")
            return
        match self._try_in_time(batch, pace):
            case Accepted(rejected, message):
                if batch.settle():
                    self._ledger.accept(batch.spans, batch.traces, rejected=rejected, message=message)
            case Permanent(reason):
                if batch.settle():
                    self._refuse(reason, batch.spans, batch.traces)
            case Retryable():
                self.keep(batch, "no_spool")

    def keep(self, batch: Batch[T], otherwise: DropReason) -> None:
        """Spool a batch that is not settled; without a spool it is lost for the reason ``otherwise``."""
        if not self._encode(batch):
            return
        if not batch.settle():
            return
        if self._spool is None:
            self._lose(otherwise, batch, self._ledger.last_error or "no spool")
            return
        try:
            self._spool.put(batch.payload, spans=batch.spans, traces=batch.traces)
        except OSError as error:
            self._lose("spool_failed", batch, f"the spool cannot be written: {error.strerror or error}")
        else:
            self._tell_spooled(otherwise)

    def replay(self, limit: int, pace: Pace) -> bool:
        """Send up to ``limit`` spooled requests, the oldest first; whether there may be more to send now.

        One at least, however much waits in the queue: a spool must drain under load too.
        """
        if self._spool is None:
            return False
        for number in range(limit):
            if number and not pace.pause(0):
                return True
            if self._clock() < self._not_before or self._breaker.is_blocking:
                return False
            self._claim = self._spool.claim_oldest()
            if self._claim is None or not self._replay_one(self._spool, self._claim, pace):
                return False
        return True

    def abandon(self) -> None:
        """In the child of a fork: what is being replayed is the parent's."""
        if self._claim:
            self._claim.release()

    def _replay_one(self, spool: Spool, claim: Claim, pace: Pace) -> bool:
        if pace.try_seconds() < _MIN_TRY_SECONDS or not self._may_try():
            spool.give_back(claim)
            return False
        match self._try_once(claim.payload, pace):
            case Accepted(rejected, message):
                claim.remove()
                self._ledger.accept(claim.spans, claim.traces, rejected=rejected, message=message)
            case Permanent(reason):
                claim.remove()
                self._refuse(reason, claim.spans, claim.traces)
            case Retryable():
                spool.give_back(claim)
                return False
        return True

    def _may_try(self) -> bool:
        return self._clock() >= self._not_before and self._breaker.allows()

    def _try_in_time(self, batch: Batch[T], pace: Pace) -> Outcome:
        """Try until it is settled, the breaker opens, or the time for all tries is up."""
        ends = self._clock() + self._retry.total_seconds
        ceiling = self._retry.initial_seconds
        while True:
            outcome = self._try_once(batch.payload, pace)
            if not isinstance(outcome, Retryable) or self._breaker.state != "closed" or batch.is_settled:
                return outcome
            # Full jitter: workers that failed together do not come back together.
            wait = max(self._random() * ceiling, outcome.retry_after_seconds or 0.0)
            if self._clock() + wait >= ends or not pace.pause(wait):
                return outcome
            ceiling = min(ceiling * 2, self._retry.max_seconds)
            self._ledger.retry()

    def _try_once(self, payload: bytes, pace: Pace) -> Outcome:
        try:
            outcome = self._transport.send(payload, pace.try_seconds())
        except Exception as error:  # noqa: BLE001 - told there, and counted as a failure
            self._ledger.surprise("a transport raised", error)
            outcome = Retryable(f"the transport failed: {type(error).__name__}")
        if isinstance(outcome, Retryable):
            self._breaker.record_failure()
            self._ledger.fail("failing", outcome.reason)
            if outcome.retry_after_seconds:
                wait = min(outcome.retry_after_seconds, _MAX_RETRY_AFTER_SECONDS)
                self._not_before = self._clock() + wait
        else:
            # A refusal is an answer too: the collector is there.
            self._breaker.record_success()
        return outcome

    def _encode(self, batch: Batch[T]) -> bool:
        """Fill in the payload; a trace that cannot be encoded is lost alone. Whether anything is left."""
        with self._encoding:  # encoders keep what they have encoded, for one thread at a time
            return bool(batch.payload) or self._encode_alone(batch)

    def _encode_alone(self, batch: Batch[T]) -> bool:
        try:
            batch.payload = self._encoder.encode([item.content for item in batch.items])
        except Exception:  # noqa: BLE001 - told by each trace that fails again
            good = [item for item in batch.items if self._is_encodable(item)]
            spans = sum(item.spans for item in good)
            self._ledger.drop("unencodable", batch.spans - spans, batch.traces - len(good))
            batch.items, batch.spans = good, spans
            batch.payload = self._encoder.encode([item.content for item in good])
        if not batch.payload:
            batch.settle()
        return bool(batch.payload)

    def _is_encodable(self, item: Queued[T]) -> bool:
        try:
            self._encoder.encode([item.content])
        except Exception as error:  # noqa: BLE001 - whatever is wrong with one trace is told and counted
            told = f"a {self._encoder.signal.name} cannot be encoded: {type(error).__name__}"
            self._ledger.note(told)
            if not self._has_told_unencodable:
                self._has_told_unencodable = True
                logger.error("%s; it is dropped, as others may be; this is told once", told)
            return False
        return True

    def _refuse(self, reason: str, spans: int, traces: int) -> None:
        self._ledger.drop("refused", spans, traces)
        self._ledger.fail("rejecting", reason)

    def _tell_spooled(self, otherwise: DropReason) -> None:
        if self._ledger.state != "healthy":
            self._ledger.fail("spooling", self._ledger.last_error)
        elif otherwise != "queue_full":  # a try is under way, which will tell what is wrong
            self._ledger.fail("spooling", "no time left to send")

    def _lose(self, why: DropReason, batch: Batch[T], told: str) -> None:
        self._ledger.drop(why, batch.spans, batch.traces)
        self._ledger.fail("losing", told)
