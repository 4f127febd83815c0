"""The outline tells apart what a trace's names alone would not."""

from __future__ import annotations

from tests.e2e.span_tree import node, outline
from tests.servers.jaeger import Span


def span(name: str, span_id: str, parent_id: str = "") -> Span:
    return Span("service", name, "INTERNAL", span_id, parent_id, {}, (), (), False, ())


def test_spans_stand_below_their_parents_in_an_order_of_their_own() -> None:
    spans = [span("c", "3", "1"), span("b", "2", "1"), span("a", "1"), span("d", "4", "2")]
    tree = node("INTERNAL a", "INTERNAL c", node("INTERNAL b", "INTERNAL d"))
    assert outline(spans) == tree == "INTERNAL a\n  INTERNAL b\n    INTERNAL d\n  INTERNAL c"


def test_a_span_whose_parent_is_missing_is_an_orphan() -> None:
    assert outline([span("a", "1"), span("b", "2", "9")]) == "INTERNAL a\norphan INTERNAL b"


def test_nothing_arrived_is_no_tree() -> None:
    assert outline([]) == ""
