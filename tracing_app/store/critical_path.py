"""The critical path of a trace: what it would have ended sooner without.

From the end of a request backwards: the child that ended last, from its start on the one that had ended last
by then, and so on; the span itself between them. The requests of a multipart upload likewise, from the end of
the last one. A child counts while its parent runs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from .tree import Node, Tree

Interval = tuple[int, int]


@dataclass(frozen=True, slots=True)
class SpanTime:
    """``self_ms``: when no child was under way. ``critical_ms``: how long the critical path is in the span
    itself and not in a child, which can be 0 for a span that is on it (``is_critical``)."""

    self_ms: float
    is_critical: bool
    critical_ms: float


def span_times(tree: Tree) -> dict[str, SpanTime]:
    """The time of each span by its id."""
    critical = _critical(tree)
    return {
        node.span_id: SpanTime(
            _self_ns(node) / 1e6, node.span_id in critical, critical.get(node.span_id, 0) / 1e6
        )
        for _, node in tree.walk()
    }


def _critical(tree: Tree) -> dict[str, int]:
    """Nanoseconds of the path that spans on it are themselves, by span id."""
    own: dict[str, int] = {}
    whole = (0, max((node.interval_ns[1] for node in tree.requests()), default=0))
    waiting = list(_last_to_end(tree.requests(), whole))
    while waiting:
        node, within = waiting.pop()
        below = list(_last_to_end(_children(node), within))
        own[node.span_id] = _length(within) - sum(_length(each) for _, each in below)
        waiting += below
    return own


def _last_to_end(nodes: Iterable[Node], within: Interval) -> Iterator[tuple[Node, Interval]]:
    """Those on the path from the end to the start, each with the time that it is on it."""
    clipped = ((node, _clip(node.interval_ns, within)) for node in nodes)
    until = within[1]
    for node, (start, end) in sorted(clipped, key=lambda each: (-each[1][1], each[1][0])):
        if start < end <= until:
            yield node, (start, end)
            until = start


def _self_ns(node: Node) -> int:
    """Its duration without the time when a child was under way."""
    within = node.interval_ns
    left, free_from = 0, within[0]
    for start, end in sorted(_clip(child.interval_ns, within) for child in _children(node)):
        left += max(start - free_from, 0)
        free_from = max(free_from, end)
    return left + within[1] - free_from


def _children(node: Node) -> list[Node]:
    return [child for child in node.children if not child.has_joined(node)]


def _clip(interval: Interval, within: Interval) -> Interval:
    """The part inside, of no length when there is none."""
    start, end = max(interval[0], within[0]), min(interval[1], within[1])
    return (start, end) if start < end else (within[0], within[0])


def _length(interval: Interval) -> int:
    return interval[1] - interval[0]
