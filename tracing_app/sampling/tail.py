"""Tail sampling in the process: a trace is kept or dropped when its local root has ended, whole, before
anything of it is encoded. Errors first, then slow ones, then the rules in order, then what the head sampled.
"""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice
from typing import Literal

from tracing_app.recording.data import SpanData, TraceData, TraceSink
from tracing_app.recording.fixed import FixedAttributes
from tracing_app.recording.span import has_failed

from .held import HeldUploads, belongs_to_upload
from .keeping import PerSecond
from .rules import Rule

logger = logging.getLogger(__name__)

Reason = Literal["error", "slow", "rule", "head", "upload", "capped", "failed", "late", "off"]
"""``upload``: another request of the same multipart upload is kept; ``capped``: too many a second;
``failed``: a rule did; ``late``: a span that ended after its trace was judged; ``off``: nothing is
recorded."""

HELD_FULL = "held_full"
"""What is dropped of a multipart upload for want of room."""

REASON, RULE, RATE = "mizuchi.sampling.reason", "mizuchi.sampling.rule", "mizuchi.sampling.rate"

_REMEMBERED = 10_000
_SAMPLED = 0x01


@dataclass(frozen=True, slots=True)
class Verdict:
    """``rate``: for how many traces a kept one stands, 0 if it is dropped. ``reason``, ``rule``: why.

    One that is kept because another of its upload is (``upload``) stands for none: what would have dropped
    it has seen to it already that others stand for it.
    """

    rate: float
    reason: Reason
    rule: str = ""
    label: str = field(init=False)
    """What it is counted under."""
    marks: FixedAttributes = field(init=False)
    """What it says on the local root of a trace that is kept."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "label", f"rule:{self.rule}" if self.rule else self.reason)
        object.__setattr__(self, "marks", _marks(self.reason, self.rule, self.rate))


@lru_cache(maxsize=1024)
def _marks(reason: Reason, rule: str, rate: float) -> FixedAttributes:
    marks: dict[str, str | float] = {REASON: reason, RATE: rate}
    if rule:
        marks[RULE] = rule
    return FixedAttributes(marks)


_FOLLOWS = Verdict(0.0, "upload")
_UNSAMPLED = Verdict(0.0, "head")


@dataclass(frozen=True, slots=True)
class TailPolicy:
    """What is kept. ``slow_ns`` None: no trace is slow. ``head_rate``: for how many one stands that the head
    sampled. ``cap`` bounds what is kept a second, errors excepted."""

    errors: bool = True
    slow_ns: int | None = None
    rules: tuple[Rule, ...] = ()
    head_rate: float = 1.0
    cap: PerSecond | None = None
    sampled: Verdict = field(init=False)
    """The verdict on what only the head sampled."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "sampled", Verdict(self.head_rate, "head"))

    def judge(self, trace: TraceData) -> Verdict:
        """The verdict on a trace that has ended; each call counts for rates per second."""
        trace_id, spans, _ = trace
        is_sampled = spans[-1].trace_flags & _SAMPLED != 0
        if self.cap is None and not (self.errors and has_failed(spans)):
            return self._healthy(trace_id, spans, is_sampled)
        return self.judge_as(trace_id, spans, is_head_sampled=is_sampled)

    def judge_as(self, trace_id: int, spans: Sequence[SpanData], *, is_head_sampled: bool) -> Verdict:
        """The verdict on these spans if they had that trace id and head decision."""
        if self.errors and has_failed(spans):
            return Verdict(1.0, "error")
        verdict = self._healthy(trace_id, spans, is_head_sampled)
        if self.cap is None or not verdict.rate:
            return verdict
        rate = self.cap.rate_of(verdict.rate)
        return Verdict(rate, verdict.reason, verdict.rule) if rate else Verdict(0.0, "capped")

    def _healthy(self, trace_id: int, spans: Sequence[SpanData], is_head_sampled: bool) -> Verdict:
        root = spans[-1]
        if self.slow_ns is not None and root.end_ns - root.start_ns >= self.slow_ns:
            return Verdict(1.0, "slow")
        for rule in self.rules:
            if rule.matches(spans):
                return Verdict(rule.keeping.rate(trace_id, spans), "rule", rule.name)
        return self.sampled if is_head_sampled else _UNSAMPLED


@dataclass(frozen=True, slots=True)
class SamplingStats:
    """Traces and spans by ``Verdict.label`` or HELD_FULL; ``held``: of uploads in progress, undecided."""

    traces_kept: Mapping[str, int] = field(default_factory=dict)
    traces_dropped: Mapping[str, int] = field(default_factory=dict)
    spans_kept: Mapping[str, int] = field(default_factory=dict)
    spans_dropped: Mapping[str, int] = field(default_factory=dict)
    traces_held: int = 0
    bytes_held: int = 0


class Tally(dict[str, list[int]]):
    """How many traces and spans, by reason. Not locked."""

    def count(self, label: str, trace: TraceData) -> None:
        counts = self[label]
        counts[0] += 1
        counts[1] += len(trace.spans)

    def __missing__(self, label: str) -> list[int]:
        counts = self[label] = [0, 0]
        return counts

    @property
    def traces(self) -> dict[str, int]:
        return {label: counts[0] for label, counts in self.items()}

    @property
    def spans(self) -> dict[str, int]:
        return {label: counts[1] for label, counts in self.items()}


def _nobody(trace_id: int) -> None:
    """Nobody else is to be told."""


class TailSampler:
    """A ``TraceSink`` before another. ``policy`` may be replaced at any time, by one assignment.

    With ``uploads`` the requests of a multipart upload are one decision: once one of them is kept, those that
    are held and those that follow are kept too. ``on_upload_kept`` is told, for other processes.
    """

    def __init__(
        self,
        policy: TailPolicy,
        sink: TraceSink,
        *,
        uploads: HeldUploads | None = None,
        on_upload_kept: Callable[[int], None] = _nobody,
    ) -> None:
        self.policy = policy
        self._sink = sink
        self._uploads = uploads
        self._on_upload_kept = on_upload_kept
        self._lock = threading.Lock()
        self._kept_ids: OrderedDict[int, None] = OrderedDict()
        self._kept = Tally()
        self._dropped = Tally()

    def offer(self, trace: TraceData) -> None:
        """Keep, drop, or hold for now; see ``TraceSink``. A late span follows the verdict on its trace."""
        root = trace.spans[-1]
        if root.later is not None:
            root.complete()
        verdict = self._late(trace.trace_id) if trace.is_late else self._judge(trace)
        is_upload = self._uploads is not None and not trace.is_late and belongs_to_upload(trace)
        with self._lock:
            if not verdict.rate:
                if not (is_upload and trace.trace_id in self._kept_ids):
                    self._drop(trace, verdict, is_upload)
                    return
                verdict = _FOLLOWS
            released = self._keep(trace, verdict, is_upload)
        if is_upload and verdict.reason not in ("head", "upload"):
            self._on_upload_kept(trace.trace_id)
        for held in released:
            self._sink.offer(held)
        self._sink.offer(trace)

    def keep_upload(self, trace_id: int) -> None:
        """Another process keeps a request of this upload: keep what is held of it here, and what follows."""
        with self._lock:
            self._remember(trace_id)
            released = self._release(trace_id)
        for held in released:
            self._sink.offer(held)

    def forget_done_uploads(self, before: float) -> None:
        """Drop what is held of uploads that ended before that moment of the monotonic clock; each request is
        counted under the verdict that it had."""
        if self._uploads is not None:
            with self._lock:
                for held in self._uploads.forget_done(before):
                    self._dropped.count(held.label, held.trace)

    def latest_kept(self, count: int) -> list[int]:
        """The ids of at most so many traces that were kept last."""
        with self._lock:
            return list(islice(reversed(self._kept_ids), count))

    def stats(self) -> SamplingStats:
        """How it stands now."""
        with self._lock:
            return SamplingStats(
                traces_kept=self._kept.traces,
                traces_dropped=self._dropped.traces,
                spans_kept=self._kept.spans,
                spans_dropped=self._dropped.spans,
                traces_held=self._uploads.traces if self._uploads else 0,
                bytes_held=self._uploads.bytes if self._uploads else 0,
            )

    def _judge(self, trace: TraceData) -> Verdict:
        try:
            return self.policy.judge(trace)
        except Exception:
            # Telemetry never fails a request, and a trace too many is better than one too few.
            logger.exception("sampling rules failed; the trace is kept")
            return Verdict(1.0, "failed")

    def _late(self, trace_id: int) -> Verdict:
        return Verdict(1.0 if trace_id in self._kept_ids else 0.0, "late")

    def _drop(self, trace: TraceData, verdict: Verdict, may_hold: bool) -> None:
        if may_hold and self._uploads is not None:
            for gone in self._uploads.hold(trace, verdict.label):
                self._dropped.count(HELD_FULL, gone.trace)
        else:
            self._dropped.count(verdict.label, trace)

    def _keep(self, trace: TraceData, verdict: Verdict, is_upload: bool) -> list[TraceData]:
        self._kept.count(verdict.label, trace)
        self._remember(trace.trace_id)
        if not trace.is_late:
            _mark(trace.spans[-1], verdict)
        return self._release(trace.trace_id) if is_upload else []

    def _release(self, trace_id: int) -> list[TraceData]:
        if self._uploads is None:
            return []
        released = [held.trace for held in self._uploads.release(trace_id)]
        for trace in released:
            _mark(trace.spans[-1], _FOLLOWS)
            self._kept.count(_FOLLOWS.label, trace)
        return released

    def _remember(self, trace_id: int) -> None:
        self._kept_ids[trace_id] = None
        if len(self._kept_ids) > _REMEMBERED:
            self._kept_ids.popitem(last=False)


def _mark(root: SpanData, verdict: Verdict) -> None:
    """Say on the local root why its trace is kept."""
    root.fixed = root.fixed.plus(verdict.marks)
