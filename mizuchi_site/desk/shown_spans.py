"""Which spans of a trace a page shows: all of them, or of a large trace a window of its requests.

A multipart upload of a thousand parts is a trace of thousands of spans. Requests outside of the window
fold into one line for each run of neighbours, except for those that one looks for: the first, the last, the
slowest and those that failed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, islice
from typing import Final

from tracing_app.store.models import StoredTrace
from tracing_app.store.tree import Node, Tree

MAX_SPANS: Final = 300
"""Up to so many are shown whole."""
WINDOW: Final = 20
"""Requests that are shown together."""
MAX_LINES: Final = 1000
_FAILED, _SLOWEST = 5, 3


@dataclass(frozen=True, slots=True)
class SpanLine:
    """A span; ``position`` of ``siblings`` counts from 1. ``number``: which of the requests it is, from 0,
    None for another span."""

    node: Node
    number: int | None
    level: int
    position: int
    siblings: int
    has_children: bool


@dataclass(frozen=True, slots=True)
class FoldedLine:
    """Requests that follow each other, in the place of their spans. ``first`` is the number of the first
    among all requests of the trace, from 0."""

    requests: Sequence[Node]
    level: int
    position: int
    siblings: int
    first: int


Line = SpanLine | FoldedLine


def requests_of(tree: Tree) -> list[Node]:
    """The requests of a trace in the order of time."""
    return sorted(tree.requests(), key=lambda node: node.interval_ns)


def own_spans(request: Node) -> Iterator[Node]:
    """A request's span and those below it, without requests that joined its trace."""
    yield request
    for child in request.children:
        if not child.has_joined(request):
            yield from own_spans(child)


def open_requests(requests: Sequence[StoredTrace], first: int) -> frozenset[int]:
    """Of the requests of a large trace, in the order of time, the positions of those that are shown with
    their spans. The window begins at ``first``."""
    positions = range(len(requests))
    failed = [position for position in positions if requests[position].outcome != "ok"]
    slowest = sorted(positions, key=lambda position: -requests[position].duration_ms)
    window = range(max(first, 0), min(first + WINDOW, len(requests)))
    return frozenset({*positions[:1], *positions[-1:], *window, *failed[:_FAILED], *slowest[:_SLOWEST]})


def shown_lines(tree: Tree, folded: Collection[str] = ()) -> list[Line]:
    """The lines of the page, parents before children. ``folded`` are span ids of requests."""
    numbers = {node.span_id: number for number, node in enumerate(requests_of(tree))}
    lines = _lines(tree.roots, 1, folded, numbers)
    return list(islice(lines, MAX_LINES))


def _lines(
    siblings: Sequence[Node], level: int, folded: Collection[str], numbers: Mapping[str, int]
) -> Iterator[Line]:
    runs = groupby(siblings, key=lambda node: node.span_id in folded)
    position = 1
    for is_folded, run in runs:
        nodes = list(run)
        if is_folded:
            yield FoldedLine(nodes, level, position, len(siblings), numbers[nodes[0].span_id])
        else:
            for place, node in enumerate(nodes, position):
                number = numbers.get(node.span_id)
                yield SpanLine(node, number, level, place, len(siblings), bool(node.children))
                yield from _lines(node.children, level + 1, folded, numbers)
        position += len(nodes)
