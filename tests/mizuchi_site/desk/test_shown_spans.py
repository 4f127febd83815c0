"""Which spans of a trace a page shows."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from mizuchi_site.desk.shown_spans import (
    MAX_LINES,
    WINDOW,
    FoldedLine,
    SpanLine,
    open_requests,
    own_spans,
    requests_of,
    shown_lines,
)
from tracing_app.store.models import StoredTrace
from tracing_app.store.tree import Node, Tree


def span(name: str, start: float = 0, duration: float = 10, *children: Node, kind: str = "INTERNAL") -> Node:
    return Node(name + str(start), name, kind, start, duration, False, {}, [], [], False, list(children))


def request(number: int, duration: float = 10) -> Node:
    at = number * 20.0
    return span(f"r{number}", at, duration, span("work", at), span("more", at), kind="SERVER")


def tree(*roots: Node) -> Tree:
    return Tree("0" * 32, 0, 1e6, list(roots))


def upload(parts: int) -> Tree:
    """As a multipart upload: its requests are below the first, whose own span ended before them."""
    first = request(0)
    first.children += [request(number) for number in range(1, parts + 1)]
    return tree(first)


def told(lines: Sequence[SpanLine | FoldedLine]) -> list[str]:
    """The requests that are shown, and how many are folded between them."""
    return [
        f"{len(line.requests)} from {line.first}" if isinstance(line, FoldedLine) else line.node.name
        for line in lines
        if isinstance(line, FoldedLine) or line.node.kind == "SERVER"
    ]


def test_a_small_trace_is_shown_whole() -> None:
    lines = shown_lines(upload(2))
    assert [line.number for line in lines if isinstance(line, SpanLine)] == [
        0,
        *[None] * 2,
        1,
        *[None] * 2,
        2,
        *[None] * 2,
    ]
    assert [
        (line.node.name, line.level, line.position, line.siblings, line.has_children)
        for line in lines
        if isinstance(line, SpanLine)
    ] == [
        ("r0", 1, 1, 1, True),
        ("work", 2, 1, 4, False),
        ("more", 2, 2, 4, False),
        ("r1", 2, 3, 4, True),
        ("work", 3, 1, 2, False),
        ("more", 3, 2, 2, False),
        ("r2", 2, 4, 4, True),
        ("work", 3, 1, 2, False),
        ("more", 3, 2, 2, False),
    ]
    assert len(lines) == 9


def rows(count: int) -> list[StoredTrace]:
    return [StoredTrace(duration_ms=10, status=200, error="", is_error=False) for _ in range(count)]


def test_of_a_large_one_a_window_is_open_and_what_one_looks_for() -> None:
    requests = rows(1000)
    requests[500].error = "BadDigest"
    requests[600].duration_ms = 19
    assert open_requests(requests, 0) == {*range(WINDOW), 500, 600, 999}
    assert open_requests(requests, 700) == {0, 1, *range(700, 700 + WINDOW), 500, 600, 999}
    assert open_requests(requests, 995) == {0, 1, 500, 600, *range(995, 1000)}


@pytest.mark.parametrize("first", [-5, 0, 2, 5_000_000])
@pytest.mark.parametrize("count", [0, 1, 3])
def test_any_window_of_any_trace_can_be_asked_for(count: int, first: int) -> None:
    assert open_requests(rows(count), first) == set(range(count))


def test_when_all_fail_some_are_open() -> None:
    requests = rows(1000)
    for row in requests:
        row.status = 503
    assert len(open_requests(requests, 500)) < WINDOW + 12


def test_neighbours_fold_into_one_line() -> None:
    large = upload(1000)
    folded = {node.span_id for node in requests_of(large) if node.name not in ("r0", "r5", "r6", "r1000")}
    lines = shown_lines(large, folded)
    assert told(lines) == ["r0", "4 from 1", "r5", "r6", "993 from 7", "r1000"]
    first = next(line for line in lines if isinstance(line, FoldedLine))
    assert (first.level, first.position, first.siblings) == (2, 3, 1002)
    assert [node.name for node in first.requests] == ["r1", "r2", "r3", "r4"]
    after = next(line for line in lines if isinstance(line, SpanLine) and line.node.name == "r5")
    assert (after.level, after.position, after.siblings) == (2, 7, 1002)


def test_requests_below_no_common_span_fold_too() -> None:
    lone = tree(*(request(number) for number in range(10)))
    folded = {node.span_id for node in lone.roots[2:8]}
    assert told(shown_lines(lone, folded)) == ["r0", "r1", "6 from 2", "r8", "r9"]


def test_many_spans_of_one_request_are_cut_off() -> None:
    root = span("r", 0, 10, *(span("s", number) for number in range(5000)), kind="SERVER")
    assert len(shown_lines(tree(root))) == MAX_LINES


def test_own_spans_are_those_of_one_request() -> None:
    assert [node.name for node in own_spans(upload(3).roots[0])] == ["r0", "work", "more"]
