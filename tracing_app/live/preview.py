"""What a change of live settings would do, by the traces kept on this machine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from tracing_app.recording.choices import Never
from tracing_app.recording.data import SpanData
from tracing_app.sampling.dry_run import DryRun, PastTrace, Share, dry_run
from tracing_app.sampling.tail import SamplingStats, Verdict
from tracing_app.store.estimate import judged, newest_traces

from .overrides import LiveSettings

NEWEST = 2000
_STANDS_FOR_THEM = frozenset({"capped"})


@dataclass(frozen=True, slots=True)
class Compared:
    """A reason, bucket or operation, with its part now and as edited."""

    name: str
    now: Share
    edited: Share


@dataclass(frozen=True, slots=True)
class Preview:
    """The same traces judged by the settings in force and by the edited ones."""

    now: DryRun
    edited: DryRun

    def by_reason(self) -> list[Compared]:
        return _compared(self.now.by_reason, self.edited.by_reason)

    def by_bucket(self) -> list[Compared]:
        return _compared(self.now.by_bucket, self.edited.by_bucket)

    def by_operation(self) -> list[Compared]:
        return _compared(self.now.by_operation, self.edited.by_operation)


class _Off:
    """Keeps nothing: while tracing is not enabled no request is recorded."""

    def judge_as(self, trace_id: int, spans: Sequence[SpanData], *, is_head_sampled: bool) -> Verdict:
        return Verdict(0.0, "off")


def preview(now: LiveSettings, edited: LiveSettings, *, newest: int = NEWEST) -> Preview:
    """Both judged over the newest traces of the store. Raises RulesInvalid, and OperationalError or
    ProgrammingError where there is no store."""
    past = newest_traces(newest)
    return Preview(_run(now, past), _run(edited, past))


def never_kept(stats: SamplingStats) -> dict[str, int]:
    """Of what was dropped, that for which no kept trace stands, by what dropped it: an estimate from kept
    traces cannot know of it."""
    return {
        label: dropped
        for label, dropped in stats.traces_dropped.items()
        if not stats.traces_kept.get(label) and label not in _STANDS_FOR_THEM
    }


def _run(settings: LiveSettings, past: Sequence[PastTrace]) -> DryRun:
    if not settings.enabled:
        return dry_run(past, lambda clock: _Off(), Never())
    return judged(settings.sampling, past)


def _compared(now: Mapping[str, Share], edited: Mapping[str, Share]) -> list[Compared]:
    """The ones with most traces first."""

    def rows() -> Iterator[Compared]:
        for name in dict.fromkeys([*now, *edited]):
            yield Compared(name, now.get(name, Share()), edited.get(name, Share()))

    return sorted(rows(), key=lambda row: -max(row.now.traces, row.edited.traces))
