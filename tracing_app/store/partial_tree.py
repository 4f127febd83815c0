"""The tree of a large trace, of which the spans of some requests are read and of the others only their rows.

A multipart upload of ten thousand parts has fifty thousand spans: seconds to read, and nobody looks at all of
them.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from .models import StoredTrace
from .rows import Value, read_spans
from .tree import Node, Tree, build_tree


@dataclass(frozen=True, slots=True)
class PartialTree:
    """``unread`` are the span ids of requests without the spans below them. Who was waited for in them is
    what their uploads told; calls to policy engines are not known."""

    tree: Tree
    unread: frozenset[str]


def load_partial_tree(rows: Sequence[StoredTrace], read: Collection[int]) -> PartialTree | None:
    """Of the requests of a trace in the order of time, with the spans of those at the positions ``read``;
    None when these are no longer stored."""
    wanted = sorted(rows[position].pk for position in read)
    found = list(StoredTrace.objects.filter(pk__in=wanted).order_by("id"))
    if not found:
        return None
    tree = build_tree(found[0].trace_id, map(read_spans, found))
    others = [_request(row, tree.start_ns) for position, row in enumerate(rows) if position not in read]
    siblings = _joined_siblings(tree)
    siblings.extend(others)
    siblings.sort(key=lambda node: node.interval_ns)
    end_ms = max((node.offset_ms + node.duration_ms for node in others), default=0.0)
    whole = replace(tree, duration_ms=max(tree.duration_ms, end_ms))
    return PartialTree(whole, frozenset(node.span_id for node in others))


def _joined_siblings(tree: Tree) -> list[Node]:
    """Where requests are that joined the first one; without any, the roots."""
    for root in tree.roots:
        if any(child.has_joined(root) for child in root.children):
            return root.children
    return tree.roots


def _request(row: StoredTrace, start_ns: int) -> Node:
    return Node(
        span_id=f"row-{row.pk}",
        name=row.name,
        kind="SERVER",
        offset_ms=max(row.started_at.timestamp() * 1e3 - start_ns / 1e6, 0.0),
        duration_ms=row.duration_ms,
        is_error=row.is_error,
        attributes={name: value for name, value in _attributes(row).items() if value not in (None, "")},
        events=[],
        links=[],
        is_orphan=False,
    )


def _attributes(row: StoredTrace) -> dict[str, Value | None]:
    return {
        "rpc.method": f"S3/{row.operation}" if row.operation else None,
        "aws.s3.bucket": row.bucket,
        "aws.s3.key": row.key,
        "aws.s3.upload_id": row.upload_hash,
        "user.hash": row.principal_hash,
        "http.response.status_code": row.status,
        "error.type": row.error,
        "mizuchi.upload.bytes": row.bytes,
        "mizuchi.upload.receive_wait_ms": row.receive_wait_ms,
        "mizuchi.upload.backend_wait_ms": row.backend_wait_ms,
        "mizuchi.sampling.reason": row.reason,
        "mizuchi.sampling.rule": row.rule,
        "mizuchi.sampling.rate": row.rate,
    }
