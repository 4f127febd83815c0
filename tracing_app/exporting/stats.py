"""What became of the spans: counted as it happens, read as one frozen snapshot."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from tracing_app.breaker import State as BreakerState

from .spool import SpoolUsage
from .state_log import ExportState, StateLog

DropReason = Literal[
    "queue_full",
    "closed",
    "unencodable",
    "refused",
    "no_spool",
    "spool_failed",
    "spool_full",
    "spool_torn",
    "shutdown",
    "failed",
]


@dataclass(frozen=True, slots=True)
class ExportStats:
    """This process's export path at one moment. Moments are Unix seconds.

    At rest, with a spool of its own: offered = exported + rejected + dropped + queued + in flight + spooled.
    """

    spans_offered: int
    traces_offered: int
    spans_exported: int
    traces_exported: int
    spans_rejected: int
    spans_dropped: Mapping[DropReason, int]
    traces_dropped: Mapping[DropReason, int]
    retries: int
    queue_spans: int
    queue_traces: int
    queue_bytes: int
    in_flight_spans: int
    spool: SpoolUsage
    breaker: BreakerState
    breaker_since: float
    state: ExportState
    state_since: float
    last_success_at: float | None
    last_error: str
    last_error_at: float | None


@dataclass(frozen=True, slots=True)
class Counts:
    """The ledger's part of ``ExportStats``, all of one moment."""

    spans_exported: int
    traces_exported: int
    spans_rejected: int
    spans_dropped: Mapping[DropReason, int]
    traces_dropped: Mapping[DropReason, int]
    retries: int
    last_success_at: float | None
    last_error: str
    last_error_at: float | None


class Ledger:
    """Counts under a lock of its own; knows the state and when it last went well and ill."""

    def __init__(self, log: StateLog, now: Callable[[], float]) -> None:
        self._lock = threading.Lock()
        self._log = log
        self._now = now
        self.spans_exported = 0
        self.traces_exported = 0
        self.spans_rejected = 0
        self.retries = 0
        self._spans_dropped: Counter[DropReason] = Counter()
        self._traces_dropped: Counter[DropReason] = Counter()
        self.last_success_at: float | None = None
        self.last_error = ""
        self.last_error_at: float | None = None

    @property
    def state(self) -> ExportState:
        return self._log.state

    @property
    def spans_lost(self) -> int:
        """Dropped or rejected so far."""
        return self.spans_rejected + self._spans_dropped.total()

    def counts(self) -> Counts:
        """All of it now."""
        with self._lock:
            return Counts(
                spans_exported=self.spans_exported,
                traces_exported=self.traces_exported,
                spans_rejected=self.spans_rejected,
                spans_dropped=dict(self._spans_dropped),
                traces_dropped=dict(self._traces_dropped),
                retries=self.retries,
                last_success_at=self.last_success_at,
                last_error=self.last_error,
                last_error_at=self.last_error_at,
            )

    def accept(self, spans: int, traces: int, *, rejected: int = 0, message: str = "") -> None:
        """The collector took these, but for the rejected."""
        rejected = min(rejected, spans)
        with self._lock:
            self.spans_exported += spans - rejected
            self.traces_exported += traces
            self.spans_rejected += rejected
            self.last_success_at = self._now()
        if rejected:
            self.fail("rejecting", f"{rejected} of {spans} spans rejected: {message}")
        else:
            self._log.recover()

    def drop(self, reason: DropReason, spans: int, traces: int) -> None:
        """These are lost."""
        with self._lock:
            self._spans_dropped[reason] += spans
            self._traces_dropped[reason] += traces
        if reason == "spool_full":
            self._log.worsen("losing", f"the spool is full, its oldest are dropped; {self.last_error}")

    def retry(self) -> None:
        """One more try of the same request."""
        with self._lock:
            self.retries += 1

    def fail(self, state: ExportState, reason: str) -> None:
        """The export path went wrong; ``reason`` is scrubbed."""
        self.note(reason)
        self._log.worsen(state, reason)

    def note(self, error: str) -> None:
        """Something went wrong that is no state of the export path; ``error`` is scrubbed."""
        with self._lock:
            self.last_error = error
            self.last_error_at = self._now()

    def surprise(self, what: str, error: Exception) -> None:
        """Called in an ``except`` block for what nobody foresaw: its traceback says more than its text."""
        self._log.surprise(what, error)
