"""Tail sampling in the process: a trace is kept or dropped when its local root has ended, whole, before
anything of it is encoded. Errors first, then slow ones, then the rules in order, then what the head sampled.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter, OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from opentelemetry.trace import StatusCode

from tracing_app.recording.data import SpanData, TraceData, TraceSink

from .keeping import PerSecond
from .rules import Rule

logger = logging.getLogger(__name__)

Reason = Literal["error", "slow", "rule", "head", "capped", "failed", "late"]

REASON, RULE, RATE = "mizuchi.sampling.reason", "mizuchi.sampling.rule", "mizuchi.sampling.rate"

_ERROR = StatusCode.ERROR
_REMEMBERED = 10_000


@dataclass(frozen=True, slots=True)
class Verdict:
    """``rate``: for how many traces a kept one stands, 0 if it is dropped. ``reason``, ``rule``: why."""

    rate: float
    reason: Reason
    rule: str = ""


@dataclass(frozen=True, slots=True)
class TailPolicy:
    """What is kept. ``slow_ns`` None: no trace is slow. ``head_rate``: for how many one stands that the head
    sampled. ``cap`` bounds what is kept a second, errors excepted."""

    errors: bool = True
    slow_ns: int | None = None
    rules: tuple[Rule, ...] = ()
    head_rate: float = 1.0
    cap: PerSecond | None = None

    def judge(self, trace: TraceData) -> Verdict:
        """The verdict on a trace that has ended; each call counts for rates per second."""
        spans = trace.spans
        if self.errors and any(span.status_code is _ERROR for span in spans):
            return Verdict(1.0, "error")
        verdict = self._healthy(trace.trace_id, spans)
        if self.cap is None or not verdict.rate:
            return verdict
        rate = self.cap.rate_of(verdict.rate)
        return Verdict(rate, verdict.reason, verdict.rule) if rate else Verdict(0.0, "capped")

    def _healthy(self, trace_id: int, spans: Sequence[SpanData]) -> Verdict:
        root = spans[-1]
        if self.slow_ns is not None and root.end_ns - root.start_ns >= self.slow_ns:
            return Verdict(1.0, "slow")
        for rule in self.rules:
            if rule.matches(spans):
                return Verdict(rule.keeping.rate(trace_id, spans), "rule", rule.name)
        return Verdict(self.head_rate if root.context.trace_flags & 1 else 0.0, "head")


@dataclass(frozen=True, slots=True)
class SamplingStats:
    """Traces and their spans by reason; rules under ``rule:NAME``."""

    traces_kept: Mapping[str, int] = field(default_factory=dict)
    traces_dropped: Mapping[str, int] = field(default_factory=dict)
    spans_kept: Mapping[str, int] = field(default_factory=dict)
    spans_dropped: Mapping[str, int] = field(default_factory=dict)


class TailSampler:
    """A ``TraceSink`` before another. ``policy`` may be replaced at any time, by one assignment."""

    def __init__(self, policy: TailPolicy, sink: TraceSink) -> None:
        self.policy = policy
        self._sink = sink
        self._lock = threading.Lock()
        self._kept_ids: OrderedDict[int, None] = OrderedDict()
        self._traces_kept: Counter[str] = Counter()
        self._traces_dropped: Counter[str] = Counter()
        self._spans_kept: Counter[str] = Counter()
        self._spans_dropped: Counter[str] = Counter()

    def offer(self, trace: TraceData) -> None:
        """Keep or drop; see ``TraceSink``. A late span follows the verdict on its trace."""
        verdict = self._late(trace.trace_id) if trace.is_late else self._judge(trace)
        by = f"rule:{verdict.rule}" if verdict.rule else verdict.reason
        with self._lock:
            if not verdict.rate:
                self._traces_dropped[by] += 1
                self._spans_dropped[by] += len(trace.spans)
                return
            self._traces_kept[by] += 1
            self._spans_kept[by] += len(trace.spans)
            self._remember(trace.trace_id)
        if not trace.is_late:
            _mark(trace.spans[-1], verdict)
        self._sink.offer(trace)

    def stats(self) -> SamplingStats:
        """How it stands now."""
        with self._lock:
            return SamplingStats(
                traces_kept=dict(self._traces_kept),
                traces_dropped=dict(self._traces_dropped),
                spans_kept=dict(self._spans_kept),
                spans_dropped=dict(self._spans_dropped),
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

    def _remember(self, trace_id: int) -> None:
        self._kept_ids[trace_id] = None
        if len(self._kept_ids) > _REMEMBERED:
            self._kept_ids.popitem(last=False)


def _mark(root: SpanData, verdict: Verdict) -> None:
    """Say on the local root why its trace is kept."""
    marks: dict[str, str | float] = {REASON: verdict.reason, RATE: verdict.rate}
    if verdict.rule:
        marks[RULE] = verdict.rule
    root.attributes = {**root.attributes, **marks}
