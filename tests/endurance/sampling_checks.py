"""What tail sampling promises, checked on what a collector got of a mixed load."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import sqrt

from tests.endurance.collecting import Arrived
from tests.endurance.mixed_load import KINDS, Kind, Sent
from tracing_app.recording.trace_ids import BLOCK

WORKERS = 2
SIGMAS = 5
TOTAL_SHARE = 0.02
TOTAL_SIGMAS = 4


@dataclass(frozen=True, slots=True)
class Check:
    """Something that has to be so; ``said`` tells how it is."""

    name: str
    is_so: bool
    said: str

    def __str__(self) -> str:
        return f"{'ok    ' if self.is_so else 'FAILED'} {self.name}: {self.said}"


@dataclass(frozen=True)
class Sampled:
    """What was sent, and what of it is at the collector, by trace id."""

    sent: Sequence[Sent]
    traces: Mapping[str, Arrived]
    ratio: float
    slow_request_ms: float

    def checks(self) -> Iterator[Check]:
        """Every promise about traces."""
        yield self._answered()
        yield self._kept("error")
        yield self._kept("slow")
        yield self._others()
        yield self._share_of_others()
        yield self._nothing_else()
        yield self._total()
        for kind in KINDS:
            yield self._count_of(kind)

    def expected(self) -> set[str]:
        """The traces that have to be at the collector, whatever took longer than it should."""
        return {each.request_id for each in self.sent if each.kind.truth != "healthy"} | self._sampled_ids

    def _answered(self) -> Check:
        wrong = Counter(
            (each.kind.name, each.status) for each in self.sent if each.status != each.kind.status
        )
        is_told_apart = len({each.request_id for each in self.sent}) == len(self.sent)
        said = f"{len(self.sent)} requests" + (f", but {dict(wrong)}" if wrong else "")
        return Check("every request is answered as its kind should", not wrong and is_told_apart, said)

    def _kept(self, truth: str) -> Check:
        """All of them, and whole."""
        wanted = [each for each in self.sent if each.kind.truth == truth]
        there = [
            (each.kind, self.traces[each.request_id]) for each in wanted if each.request_id in self.traces
        ]
        whole = [
            trace
            for kind, trace in there
            if self._is_whole(kind, trace, truth, 1.0) and (truth != "slow" or self._is_slow(trace))
        ]
        said = f"{len(wanted)} sent, {len(there)} at the collector, {len(whole)} of them whole"
        return Check(f"every {truth} trace is kept, whole", len(whole) == len(wanted), said)

    def _others(self) -> Check:
        """Those that the head sampled by their ids, and those that were slow by chance; no others."""
        others = {each.request_id: each.kind for each in self.sent if each.kind.truth == "healthy"}
        kept = {number: trace for number, trace in self.traces.items() if number in others}
        slow = [number for number, trace in kept.items() if trace.mark("reason") == "slow"]
        whole = [
            number
            for number, trace in kept.items()
            if self._is_whole(others[number], trace, "head", 1 / self.ratio)
            or (self._is_whole(others[number], trace, "slow", 1.0) and self._is_slow(trace))
        ]
        is_so = kept.keys() == self._sampled_ids | set(slow) and len(whole) == len(kept)
        said = (
            f"{len(self._sampled_ids)} sampled by their ids, {len(slow)} slow by chance, {len(kept)} at the "
            f"collector, {len(whole)} of them whole"
        )
        return Check("of the others those are kept that should be, whole", is_so, said)

    def _share_of_others(self) -> Check:
        others = sum(each.kind.truth == "healthy" for each in self.sent)
        kept, expected = len(self._sampled_ids & self.traces.keys()), others * self.ratio
        sigma = sqrt(expected * (1 - self.ratio))
        said = f"{kept} of {others}, {expected:.0f} expected, sigma {sigma:.1f}"
        return Check(f"their share is {self.ratio:g}", abs(kept - expected) <= SIGMAS * sigma, said)

    def _nothing_else(self) -> Check:
        strangers = self.traces.keys() - {each.request_id for each in self.sent}
        spans = Counter(span.span_id for trace in self.traces.values() for span in trace.spans)
        twice = len(spans) - sum(count == 1 for count in spans.values())
        said = (
            f"{len(self.traces)} traces, {len(spans)} spans, {twice} twice, {len(strangers)} strange traces"
        )
        return Check("nothing came twice, and nothing else", not strangers and not twice, said)

    def _total(self) -> Check:
        """``sigma``: how many of a ratio's places go to requests that are kept anyway, by chance; and the
        blocks of trace ids that were not at their end (at most, when each was in its middle)."""
        count, ratio = len(self.sent), self.ratio
        kept_anyway = sum(each.kind.truth != "healthy" for each in self.sent) / count
        places = count * ratio * kept_anyway * (1 - kept_anyway) + WORKERS * BLOCK * ratio * (1 - ratio) / 4
        sigma = sqrt(places) / ratio
        bound = max(TOTAL_SHARE * count, TOTAL_SIGMAS * sigma)
        counted = sum(self._rate(trace) for trace in self.traces.values())
        said = (
            f"{counted:.0f} of {count}: {(counted - count) / count:+.2%} (bound {bound / count:.1%}, "
            f"sigma {sigma / count:.2%})"
        )
        return Check("the sum of rates is the number of requests", abs(counted - count) <= bound, said)

    def _count_of(self, kind: Kind) -> Check:
        """A kind that is a part of all is subject to chance, each request of it for itself."""
        sent = [each for each in self.sent if each.kind == kind]
        count = len(sent)
        counted = sum(
            self._rate(self.traces[each.request_id]) for each in sent if each.request_id in self.traces
        )
        sigma = sqrt(count * (1 - self.ratio) / self.ratio) if kind.truth == "healthy" else 0.0
        said = f"{counted:.0f} of {count} (sigma {sigma:.0f})"
        return Check(f"the sum of rates of {kind.name!r}", abs(counted - count) <= SIGMAS * sigma, said)

    @cached_property
    def _sampled_ids(self) -> set[str]:
        """By the lower half of their ids alone, as any service with this ratio would choose."""
        return {
            each.request_id
            for each in self.sent
            if each.kind.truth == "healthy" and int(each.request_id[16:] or "f" * 16, 16) / 2**64 < self.ratio
        }

    def _is_slow(self, trace: Arrived) -> bool:
        return trace.milliseconds >= self.slow_request_ms

    @staticmethod
    def _is_whole(kind: Kind, trace: Arrived, reason: str, rate: float) -> bool:
        return (
            trace.outline == kind.tree
            and trace.mark("reason") == reason
            and abs(trace.mark("rate") - rate) < rate / 1e6
        )

    @staticmethod
    def _rate(trace: Arrived) -> float:
        return float(trace.mark("rate") or 0)
