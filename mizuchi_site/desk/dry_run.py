"""The preview of a change as the page has it: what was kept and would be kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from mizuchi_site.sampling_preview import SamplingPreview
from tracing_app.live.preview import Compared
from tracing_app.sampling.dry_run import NO_BUCKET, DryRun

from .durations import duration_text
from .number_text import bytes_text, count_text, rate_text, share_text

_REASONS = {
    "error": "error of ours",
    "slow": "slow request",
    "head": "head (strategy)",
    "capped": "beyond traces a second",
    "off": "not recorded (off)",
    "upload": "with its upload",
    "late": "late span",
    "held_full": "upload, no room to wait",
    "failed": "rule that failed",
}


@dataclass(frozen=True, slots=True)
class Row:
    """Estimated traces of a reason, bucket or operation, and how many of them are kept, now and as edited."""

    name: str
    traces_now: float
    kept_now: float
    traces_edited: float
    kept_edited: float


@dataclass(frozen=True, slots=True)
class Table:
    title: str
    column: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Figure:
    """A number with its unit, now and as edited."""

    label: str
    now: str
    edited: str


@dataclass(frozen=True, slots=True)
class DryRunReport:
    """``unseen`` are dropped traces of which the estimate cannot know, in ``workers`` workers, by reason."""

    looked_at: int
    stands_for: float
    began: datetime
    lasted: str
    figures: tuple[Figure, ...]
    tables: tuple[Table, ...]
    unseen: tuple[tuple[str, int], ...]
    workers: int

    @property
    def unseen_total(self) -> int:
        return sum(number for _, number in self.unseen)


def dry_run_report(found: SamplingPreview) -> DryRunReport:
    """What the page shows of it."""
    now, edited = found.preview.now, found.preview.edited
    reasons = [(reason_text(row.name), row) for row in found.preview.by_reason()]
    return DryRunReport(
        looked_at=now.looked_at,
        stands_for=now.total.traces,
        began=datetime.fromtimestamp(now.began, UTC),
        lasted=duration_text(now.seconds * 1000),
        figures=_figures(now, edited),
        tables=(
            _table("By what decides", "Decided by", reasons),
            _table("By bucket", "Bucket", [(_bucket(row.name), row) for row in found.preview.by_bucket()]),
            _table("By operation", "Operation", [(row.name, row) for row in found.preview.by_operation()]),
        ),
        unseen=tuple((reason_text(label), number) for label, number in found.unseen.items()),
        workers=found.workers,
    )


def reason_text(label: str) -> str:
    """``rule:probes`` is the rule named probes."""
    kind, _, name = label.partition(":")
    return f"rule {name}" if kind == "rule" else _REASONS.get(label, label)


def _bucket(name: str) -> str:
    return "of no bucket" if name == NO_BUCKET else name


def _figures(now: DryRun, edited: DryRun) -> tuple[Figure, ...]:
    def figure(label: str, text: Callable[[DryRun], str]) -> Figure:
        return Figure(label, text(now), text(edited))

    return (
        figure("of all traces", lambda run: share_text(run.total.ratio)),
        figure("traces", lambda run: count_text(run.total.kept_traces)),
        figure("spans a second", lambda run: rate_text(run.spans_per_second)),
        figure("a day", lambda run: bytes_text(run.bytes_per_day)),
    )


def _table(title: str, column: str, rows: Iterable[tuple[str, Compared]]) -> Table:
    return Table(
        title,
        column,
        tuple(
            Row(name, row.now.traces, row.now.kept_traces, row.edited.traces, row.edited.kept_traces)
            for name, row in rows
        ),
    )
