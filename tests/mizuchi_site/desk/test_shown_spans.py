"""Which spans of a trace a page shows."""

from __future__ import annotations

from collections.abc import Sequence

from mizuchi_site.desk.shown_spans import (
    MAX_LINES,
    MAX_SPANS,
    WINDOW,
    FoldedLine,
    SpanLine,
    own_spans,
    requests_of,
    shown_lines,
)
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


def test_a_large_one_is_a_window_of_requests() -> None:
    large = upload(1000)
    requests = requests_of(large)
    requests[500].attributes["error.type"] = "BadDigest"
    requests[600].duration_ms = 19

    shown = told(shown_lines(large))
    assert shown == [
        *(f"r{number}" for number in range(WINDOW)),
        f"{500 - WINDOW} from {WINDOW}",
        "r500",
        "99 from 501",
        "r600",
        "399 from 601",
        "r1000",
    ]
    folded = next(line for line in shown_lines(large) if isinstance(line, FoldedLine))
    assert (folded.level, folded.position, folded.siblings) == (2, WINDOW + 2, 1002)
    assert [node.name for node in folded.requests[:2]] == ["r20", "r21"]


def test_the_window_can_be_anywhere() -> None:
    shown = told(shown_lines(upload(1000), first=700))
    assert shown[:2] == ["r0", "r1"]  # the slowest are as slow as the first
    assert "697 from 3" in shown
    assert [f"r{number}" for number in range(700, 700 + WINDOW)] == shown[4 : 4 + WINDOW]
    for odd in (-5, 5_000_000):
        assert told(shown_lines(upload(1000), first=odd))[-1] == "r1000"


def test_requests_below_no_common_span_fold_too() -> None:
    shown = told(shown_lines(tree(*(request(number) for number in range(MAX_SPANS)))))
    assert shown[WINDOW:] == [f"{MAX_SPANS - WINDOW - 1} from {WINDOW}", f"r{MAX_SPANS - 1}"]


def test_what_leads_to_a_request_that_is_shown_is_shown() -> None:
    requests = [request(number) for number in range(200)]
    requests[100].children.append(span("nested", 2001, 1000, kind="SERVER"))
    shown = told(shown_lines(tree(*requests)))
    assert shown[shown.index("r100") + 1] == "nested"


def test_many_spans_of_one_request_are_cut_off() -> None:
    root = span("r", 0, 10, *(span("s", number) for number in range(5000)), kind="SERVER")
    assert len(shown_lines(tree(root))) == MAX_LINES


def test_own_spans_are_those_of_one_request() -> None:
    assert [node.name for node in own_spans(upload(3).roots[0])] == ["r0", "work", "more"]
