"""The tree of a trace as an outline: one line for each span, its kind and name, indented below its parent."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tests.servers.jaeger import Span


def node(line: str, *below: str) -> str:
    """An outline with ``below`` under ``line``. The order of siblings says nothing: parts come in any."""
    return "\n".join([line, *(f"  {each}" for outline in sorted(below) for each in outline.splitlines())])


def outline(spans: Sequence[Span]) -> str:
    """The tree these spans make. One whose parent is not among them stands at the left, as an orphan."""
    known = {span.span_id for span in spans}
    tops = [span for span in spans if span.parent_id not in known]
    return "\n".join(sorted(_below(span, spans, "orphan " if span.parent_id else "") for span in tops))


def _below(span: Span, spans: Iterable[Span], mark: str = "") -> str:
    children = (each for each in spans if each.parent_id == span.span_id)
    return node(f"{mark}{span.kind} {span.name}", *(_below(child, spans) for child in children))
