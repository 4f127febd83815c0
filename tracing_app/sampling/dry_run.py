"""What a sampling policy would have kept of traces that were kept before."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

from tracing_app.recording.choices import Choice
from tracing_app.recording.data import SpanData, TraceData

from .keeping import Clock
from .tail import Verdict

_SECONDS_A_DAY = 86_400
_MAX_DRAWS = 25
NO_BUCKET = "-"
"""In ``by_bucket``: requests that are about none, such as pages."""


class Judge(Protocol):
    """Decides about a trace, as ``TailPolicy`` does."""

    def judge_as(self, trace_id: int, spans: Sequence[SpanData], *, is_head_sampled: bool) -> Verdict:
        """The verdict on these spans if they had that trace id and head decision."""


@dataclass(frozen=True, slots=True)
class PastTrace:
    """A trace as it was kept: ``rate`` is for how many it stands, ``size`` its bytes as exported."""

    trace: TraceData
    rate: float
    size: int


@dataclass(slots=True)
class Share:
    """Estimated numbers of traces, spans and bytes, of all and of those that would be kept."""

    traces: float = 0.0
    kept_traces: float = 0.0
    kept_spans: float = 0.0
    kept_bytes: float = 0.0

    @property
    def ratio(self) -> float:
        """The kept part of all traces, 0 to 1."""
        return self.kept_traces / self.traces if self.traces else 0.0


@dataclass(slots=True)
class DryRun:
    """By reason (rules as ``rule:NAME``, dropped ones under what dropped them), bucket and operation.

    ``looked_at`` is how many kept traces the estimate rests on, over ``seconds`` of their time from ``began``
    on (Unix seconds).
    """

    looked_at: int = 0
    began: float = 0.0
    seconds: float = 0.0
    total: Share = field(default_factory=Share)
    by_reason: dict[str, Share] = field(default_factory=lambda: defaultdict(Share))
    by_bucket: dict[str, Share] = field(default_factory=lambda: defaultdict(Share))
    by_operation: dict[str, Share] = field(default_factory=lambda: defaultdict(Share))

    @property
    def spans_per_second(self) -> float:
        return self.total.kept_spans / self.seconds if self.seconds else 0.0

    @property
    def bytes_per_day(self) -> float:
        return self.total.kept_bytes / self.seconds * _SECONDS_A_DAY if self.seconds else 0.0

    def as_json(self) -> dict[str, Any]:
        """All numbers, under the names they have here."""
        return {
            "looked_at": self.looked_at,
            "began": self.began,
            "seconds": self.seconds,
            "spans_per_second": self.spans_per_second,
            "bytes_per_day": self.bytes_per_day,
            "total": asdict(self.total),
            "by_reason": _shares(self.by_reason),
            "by_bucket": _shares(self.by_bucket),
            "by_operation": _shares(self.by_operation),
        }


def _shares(by: Mapping[str, Share]) -> dict[str, Any]:
    return {name: asdict(share) for name, share in by.items()}


def dry_run(
    past: Iterable[PastTrace],
    build_policy: Callable[[Clock], Judge],
    head: Choice,
    *,
    seed: int = 0,
) -> DryRun:
    """Judge each trace as if it ended again, in the order of their ends and by their clock.

    A trace that stands for many is judged as many, with trace ids drawn anew: those that were kept by a ratio
    are no fair draw of trace ids.
    """
    now = [0.0]
    policy = build_policy(lambda: now[0])
    chance = random.Random(seed)  # noqa: S311 - an estimate that comes out the same each time
    run = DryRun()
    in_order = sorted(past, key=lambda each: each.trace.spans[-1].end_ns)
    for each in in_order:
        now[0] = each.trace.spans[-1].end_ns / 1e9
        draws = min(max(round(each.rate), 1), _MAX_DRAWS)
        for _ in range(draws):
            trace_id = each.trace.trace_id if draws == 1 else chance.getrandbits(128)
            _judge(run, policy, head, each, trace_id, each.rate / draws)
    run.looked_at = len(in_order)
    if in_order:
        run.began = in_order[0].trace.spans[-1].start_ns / 1e9
        run.seconds = in_order[-1].trace.spans[-1].end_ns / 1e9 - run.began
    return run


def _judge(run: DryRun, policy: Judge, head: Choice, past: PastTrace, trace_id: int, weight: float) -> None:
    trace = past.trace
    verdict = policy.judge_as(trace_id, trace.spans, is_head_sampled=head.is_sampled(None, trace_id))
    root: Mapping[str, object] = trace.spans[-1].attributes
    shares = (
        run.total,
        run.by_reason[verdict.label],
        run.by_bucket[str(root.get("aws.s3.bucket", NO_BUCKET))],
        run.by_operation[str(root.get("rpc.method", trace.spans[-1].name)).removeprefix("S3/")],
    )
    for share in shares:
        share.traces += weight
        if verdict.rate:
            share.kept_traces += weight
            share.kept_spans += weight * len(trace.spans)
            share.kept_bytes += weight * past.size
