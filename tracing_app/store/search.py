"""Finding stored traces."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from django.db.models import Q, QuerySet

from .models import StoredTrace
from .rows import read_spans
from .tree import DELIVERY, Tree, build_tree

_ERROR = Q(is_error=True) | Q(status__gte=500)
_FAILED = _ERROR | ~Q(error="") | Q(status__gte=400)
_OUTCOMES = {
    "ok": ~_FAILED,
    "failed": _FAILED,
    "refused": _FAILED & ~_ERROR,
    "error": _ERROR,
}
_KINDS = {"s3": ~Q(name__contains=" /") & ~Q(name=DELIVERY), "pages": Q(name__contains=" /")}


@dataclass(frozen=True, slots=True)
class TraceQuery:
    """What to look for; None and "" ask for nothing. ``key_prefix`` is of keys as traces show them.

    ``outcome``: as of ``StoredTrace``, or ``failed`` for whatever is not ok. ``kind``: requests of the S3
    API, or of pages, whose names are a method and a route.
    """

    trace_id: str = ""
    upload_hash: str = ""
    principal_hash: str = ""
    bucket: str = ""
    operation: str = ""
    key_prefix: str = ""
    error: str = ""
    reason: str = ""
    is_error: bool | None = None
    outcome: Literal["", "ok", "failed", "refused", "error"] = ""
    kind: Literal["", "s3", "pages"] = ""
    status: int | None = None
    slower_than_ms: float | None = None
    since: datetime | None = None
    until: datetime | None = None


def find_traces(query: TraceQuery) -> QuerySet[StoredTrace]:
    """Requests that match, without their spans. The newest first: several workers save in turns, so ids are
    not in the order of time."""
    conditions = {
        "trace_id": query.trace_id.lower(),
        "upload_hash": query.upload_hash,
        "principal_hash": query.principal_hash,
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
    more = [_OUTCOMES.get(query.outcome, Q()), _KINDS.get(query.kind, Q())]
    found = StoredTrace.objects.filter(*more, is_late=False, **asked)
    return found.order_by("-started_at", "-id").defer("spans")


def load_tree(trace_id: str) -> Tree | None:
    """All that is stored of a trace, over all its requests; None when nothing is."""
    rows = list(StoredTrace.objects.filter(trace_id=trace_id.lower()))
    return build_tree(trace_id.lower(), map(read_spans, rows)) if rows else None
