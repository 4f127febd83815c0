"""What of a trace is read for its page: all of it, some requests of a large one, or one request alone."""

from __future__ import annotations

from dataclasses import dataclass

from tracing_app.store.models import StoredTrace
from tracing_app.store.partial_tree import load_partial_tree
from tracing_app.store.requests import requests_of
from tracing_app.store.rows import read_spans
from tracing_app.store.search import load_tree
from tracing_app.store.tree import Tree, build_tree

from .shown_spans import MAX_SPANS, open_requests


@dataclass(frozen=True, slots=True)
class Asked:
    """``first``: see ``open_requests``. ``alone``: the number of a request that is shown by itself."""

    first: int = 0
    alone: int | None = None


@dataclass(frozen=True, slots=True)
class ShownTrace:
    """``folded`` are span ids of requests that are in the tree without the spans below them. ``alone`` is the
    number of the request that the tree is of, ``requests`` how many the trace has."""

    tree: Tree
    folded: frozenset[str]
    span_count: int
    requests: int
    alone: int | None = None


def load_shown(trace_id: str, asked: Asked) -> ShownTrace | None:
    """None when nothing is stored of it, or not that request."""
    rows = requests_of(trace_id)
    if asked.alone is not None:
        return _alone(rows, asked.alone)
    span_count = sum(row.span_count for row in rows)
    if span_count <= MAX_SPANS:
        tree = load_tree(trace_id)
        if tree is None:
            return None
        return ShownTrace(tree, frozenset(), sum(1 for _ in tree.walk()), len(rows))
    partial = load_partial_tree(rows, open_requests(rows, asked.first))
    return None if partial is None else ShownTrace(partial.tree, partial.unread, span_count, len(rows))


def _alone(rows: list[StoredTrace], number: int) -> ShownTrace | None:
    row = StoredTrace.objects.filter(pk=rows[number].pk).first() if number < len(rows) else None
    if row is None:
        return None
    tree = build_tree(row.trace_id, [read_spans(row)])
    return ShownTrace(tree, frozenset(), row.span_count, len(rows), number)
