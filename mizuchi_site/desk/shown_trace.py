"""What of a trace is read for its page: everything, or of a large one the requests that are shown."""

from __future__ import annotations

from dataclasses import dataclass

from tracing_app.store.partial_tree import load_partial_tree
from tracing_app.store.requests import requests_of
from tracing_app.store.search import load_tree
from tracing_app.store.tree import Tree

from .shown_spans import MAX_SPANS, open_requests


@dataclass(frozen=True, slots=True)
class ShownTrace:
    """``folded`` are span ids of requests that are in the tree without the spans below them."""

    tree: Tree
    folded: frozenset[str]
    span_count: int


def load_shown(trace_id: str, first: int) -> ShownTrace | None:
    """None when nothing is stored of it. ``first``: see ``open_requests``."""
    rows = requests_of(trace_id)
    span_count = sum(row.span_count for row in rows)
    if span_count <= MAX_SPANS:
        tree = load_tree(trace_id)
        return None if tree is None else ShownTrace(tree, frozenset(), sum(1 for _ in tree.walk()))
    partial = load_partial_tree(rows, open_requests(rows, first))
    return None if partial is None else ShownTrace(partial.tree, partial.unread, span_count)
