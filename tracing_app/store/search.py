"""Finding stored traces."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from .models import StoredTrace
from .rows import read_spans
from .tree import Tree, build_tree


@dataclass(frozen=True, slots=True)
class TraceQuery:
    """What to look for; None and "" ask for nothing. ``key_prefix`` is of keys as traces show them."""

    trace_id: str = ""
    upload_hash: str = ""
    bucket: str = ""
    operation: str = ""
    key_prefix: str = ""
    error: str = ""
    reason: str = ""
    is_error: bool | None = None
    status: int | None = None
    slower_than_ms: float | None = None
    since: datetime | None = None
    until: datetime | None = None


def find_traces(query: TraceQuery) -> QuerySet[StoredTrace]:
    """Requests that match, the newest first."""
    conditions = {
        "trace_id": query.trace_id.lower(),
        "upload_hash": query.upload_hash,
        "bucket": query.bucket,
        "operation": query.operation,
        "key__startswith": query.key_prefix,
        "error": query.error,
        "reason": query.reason,
        "is_error": query.is_error,
        "status": query.status,
        "duration_ms__gte": query.slower_than_ms,
        "started_at__gte": query.since,
        "started_at__lt": query.until,
    }
    asked = {name: value for name, value in conditions.items() if value not in (None, "")}
    return StoredTrace.objects.filter(is_late=False, **asked).defer("spans")


def load_tree(trace_id: str) -> Tree | None:
    """All that is stored of a trace, over all its requests; None when nothing is."""
    rows = list(StoredTrace.objects.filter(trace_id=trace_id.lower()))
    return build_tree(trace_id.lower(), map(read_spans, rows)) if rows else None
