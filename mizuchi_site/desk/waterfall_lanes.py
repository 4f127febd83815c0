"""The waterfall's lines with their bars: places on one axis, so that a template only has to write them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from tracing_app.store.critical_path import SpanTime, span_times
from tracing_app.store.tree import Node, Tree
from tracing_app.store.wait_stretches import WHO, Stretch, Who, request_stretches, trace_stretches
from tracing_app.store.waits import trace_waits

from .lane_bars import Bar, bars_of, coarse_bars, joined_bars
from .shown_spans import MAX_LINES, FoldedLine, SpanLine, own_spans, requests_of, shown_lines
from .time_scale import MIN_WIDTH, Tick, TimeScale
from .trace_failures import operation_of

Interval = tuple[float, float]

DEEPEST: Final = 8
"""Deeper levels are indented no further."""
_MARKS = 64
_HEAVY = 0.05


@dataclass(frozen=True, slots=True)
class Mark:
    """An event, its time from the start of the trace."""

    x: float
    name: str
    offset_ms: float


@dataclass(frozen=True, slots=True)
class Share:
    """So long was waited for ``who``; ``bar`` is its place among all shares."""

    who: Who
    ms: float
    percent: float
    bar: Bar


@dataclass(frozen=True, slots=True)
class SpanRow:
    """A span. ``waits`` colours its bar where none of its children runs, that of a request everywhere;
    ``waited`` are the same in milliseconds. ``is_heavy``: much of the trace's critical path is in it."""

    is_folded: ClassVar[bool] = False

    line: SpanLine
    time: SpanTime
    is_heavy: bool
    bar: Bar
    waits: Sequence[Bar]
    waited: Sequence[tuple[Who, float]]
    marks: Sequence[Mark]

    @property
    def node(self) -> Node:
        return self.line.node

    @property
    def indent(self) -> int:
        return min(self.line.level, DEEPEST)

    @property
    def error(self) -> str:
        """An S3 code, or a type of exception."""
        return str(self.node.attributes.get("error.type", "error" if self.node.is_error else ""))

    @property
    def is_missing_parent(self) -> bool:
        """Whether a span of this gateway that should be above it was not kept."""
        return self.node.is_orphan and self.node.kind != "SERVER"


@dataclass(frozen=True, slots=True)
class FoldedRow:
    """Requests in a row that are not shown with their spans."""

    is_folded: ClassVar[bool] = True

    line: FoldedLine
    operations: Sequence[tuple[str, int]]
    shortest_ms: float
    longest_ms: float
    bars: Sequence[Bar]

    @property
    def indent(self) -> int:
        return min(self.line.level, DEEPEST)


@dataclass(frozen=True, slots=True)
class WaterfallLanes:
    """All that is drawn. ``band`` is who was waited for over the whole trace; ``is_cut``: there are more
    spans than lines."""

    duration_ms: float
    ticks: Sequence[Tick]
    band: Sequence[Bar]
    shares: Sequence[Share]
    rows: Sequence[SpanRow | FoldedRow]
    folded_requests: int
    is_cut: bool


def waterfall_lanes(tree: Tree, folded: Collection[str] = ()) -> WaterfallLanes:
    """``folded`` are span ids of requests whose spans are not shown."""
    scale = TimeScale(tree.duration_ms)
    lines = shown_lines(tree, folded)
    times = span_times(tree)
    shown = {id(line.node) for line in lines if isinstance(line, SpanLine)}
    waits = dict(_waits_of_spans([each for each in requests_of(tree) if id(each) in shown]))
    rows: list[SpanRow | FoldedRow] = [
        _folded(line, scale)
        if isinstance(line, FoldedLine)
        else _span(line, times[line.node.span_id], waits.get(id(line.node), []), scale)
        for line in lines
    ]
    return WaterfallLanes(
        duration_ms=tree.duration_ms,
        ticks=scale.ticks(),
        band=coarse_bars(trace_stretches(tree), scale),
        shares=_shares(tree),
        rows=rows,
        folded_requests=len(folded),
        is_cut=len(lines) >= MAX_LINES,
    )


def _waits_of_spans(requests: Iterable[Node]) -> Iterator[tuple[int, list[Stretch]]]:
    """For each span of these requests who was waited for: in a request's all the time, in any other only
    while no child of it ran."""
    for request in requests:
        stretches = request_stretches(request)
        for node in own_spans(request):
            gaps = [node.interval_ns] if node is request else list(_gaps(node))
            yield id(node), list(_inside(stretches, gaps))


def _gaps(node: Node) -> Iterator[Interval]:
    """When no child of it ran."""
    moment: float
    moment, until = node.interval_ns
    for start, end in sorted(child.interval_ns for child in node.children if not child.has_joined(node)):
        if moment < start:
            yield moment, min(start, until)
        moment = max(moment, end)
        if moment >= until:
            return
    yield moment, until


def _inside(stretches: Sequence[Stretch], gaps: Sequence[Interval]) -> Iterator[Stretch]:
    for start, end in gaps:
        for each in stretches:
            cut = max(each.start_ns, start), min(each.end_ns, end)
            if cut[0] < cut[1]:
                yield Stretch(*cut, each.who)


def _span(line: SpanLine, time: SpanTime, waits: Sequence[Stretch], scale: TimeScale) -> SpanRow:
    node = line.node
    sums = dict.fromkeys(WHO, 0.0)
    for each in waits:
        sums[each.who] += (each.end_ns - each.start_ns) / 1e6
    bar = Bar(*scale.span(node.offset_ms, node.offset_ms + node.duration_ms))
    return SpanRow(
        line=line,
        time=time,
        is_heavy=time.critical_ms > scale.duration_ms * _HEAVY,
        bar=bar,
        waits=_coloured(bar, waits, scale),
        waited=[(who, sums[who]) for who in WHO if sums[who]],
        marks=[Mark(scale.x(event.offset_ms), event.name, event.offset_ms) for event in node.events[:_MARKS]],
    )


def _coloured(bar: Bar, waits: Sequence[Stretch], scale: TimeScale) -> list[Bar]:
    """A bar that is only as wide as it must be to be seen is all of one colour."""
    if bar.width > MIN_WIDTH or not waits:
        return list(bars_of(waits, scale))
    longest = max(waits, key=lambda each: each.end_ns - each.start_ns)
    return [Bar(bar.x, bar.width, longest.who)]


def _folded(line: FoldedLine, scale: TimeScale) -> FoldedRow:
    durations = [request.duration_ms for request in line.requests]
    spans = sorted(scale.span(each.offset_ms, each.offset_ms + each.duration_ms) for each in line.requests)
    return FoldedRow(
        line=line,
        operations=Counter(map(operation_of, line.requests)).most_common(),
        shortest_ms=min(durations),
        longest_ms=max(durations),
        bars=list(joined_bars(spans)),
    )


def _shares(tree: Tree) -> list[Share]:
    waits = trace_waits(tree)
    sizes: dict[Who, float] = {
        "client": waits.client_ms,
        "backend": waits.backend_ms,
        "policy": waits.policy_ms,
        "gateway": waits.gateway_ms,
    }
    shares, x = [], 0.0
    for who, ms in sizes.items():
        percent = ms / waits.total_ms * 100 if waits.total_ms else 0.0
        shares.append(Share(who, ms, percent, Bar(round(x, 3), round(percent, 3), who)))
        x += percent
    return shares
