"""Which spans of a trace a page shows: all of them, or of a large trace a window of its requests.

A multipart upload of a thousand parts is a trace of thousands of spans. Requests outside of the window
fold into one line for each run of neighbours, except for those that one looks for: the first, the last, the
slowest and those that failed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from tracing_app.store.tree import Node, Tree

MAX_SPANS: Final = 300
"""Up to so many are shown whole."""
WINDOW: Final = 20
"""Requests that are shown together."""
MAX_LINES: Final = 1000
_FAILED, _SLOWEST = 5, 3


@dataclass(frozen=True, slots=True)
class SpanLine:
    """A span; ``position`` of ``siblings`` counts from 1, ``has_children`` those that are shown."""

    node: Node
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


def has_failed(request: Node) -> bool:
    """Whether the request was refused or failed."""
    status = request.attributes.get("http.response.status_code", 0)
    return (
        request.is_error or "error.type" in request.attributes or (isinstance(status, int) and status >= 400)
    )


def shown_lines(tree: Tree, *, first: int = 0) -> list[Line]:
    """The lines of the page, parents before children. ``first`` is where the window begins, by number of the
    request; it means nothing where all are shown."""
    requests = requests_of(tree)
    is_small = sum(1 for _ in tree.walk()) <= MAX_SPANS
    numbers = {id(node): number for number, node in enumerate(requests)}
    open_ones = set(numbers) if is_small else {id(requests[number]) for number in _chosen(requests, first)}
    lines: list[Line] = []
    _Folding(numbers, _with_ancestors(tree, open_ones), lines).add(tree.roots, 1)
    return lines[:MAX_LINES]


def _chosen(requests: Sequence[Node], first: int) -> set[int]:
    """Numbers of the requests that are shown with their spans."""
    numbers = range(len(requests))
    failed = [number for number in numbers if has_failed(requests[number])]
    slowest = sorted(numbers, key=lambda number: -requests[number].duration_ms)
    window = range(max(first, 0), min(first + WINDOW, len(requests)))
    return {*numbers[:1], *numbers[-1:], *window, *failed[:_FAILED], *slowest[:_SLOWEST]}


def _with_ancestors(tree: Tree, open_ones: set[int]) -> set[int]:
    """A request that is shown has its ancestors above it."""
    kept: set[int] = set()

    def visit(node: Node) -> bool:
        has_open = False
        for child in node.children:
            has_open = visit(child) or has_open
        if has_open or id(node) in open_ones:
            kept.add(id(node))
            return True
        return False

    for root in tree.roots:
        visit(root)
    return kept


@dataclass(frozen=True, slots=True)
class _Folding:
    numbers: dict[int, int]
    kept: set[int]
    lines: list[Line]

    def add(self, siblings: Sequence[Node], level: int) -> None:
        run: list[Node] = []
        for position, node in enumerate(siblings, 1):
            if id(node) in self.numbers and id(node) not in self.kept:
                run.append(node)
                continue
            self._fold(run, level, position - 1, len(siblings))
            run = []
            self.lines.append(SpanLine(node, level, position, len(siblings), bool(node.children)))
            self.add(node.children, level + 1)
        self._fold(run, level, len(siblings), len(siblings))

    def _fold(self, run: list[Node], level: int, last: int, siblings: int) -> None:
        if run:
            first = self.numbers[id(run[0])]
            self.lines.append(FoldedLine(run, level, last - len(run) + 1, siblings, first))
