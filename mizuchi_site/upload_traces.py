"""What the store of traces knows of uploads; nothing where there is none, or where it cannot be read."""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from django.db import DatabaseError
from django.db.models import Sum

from mizuchi_site.desk.trace_store import trace_store
from tracing_app.store.models import StoredTrace
from tracing_app.store.search import load_tree
from tracing_app.store.waits import Waits, trace_waits
from uploads.models import UploadRecord

logger = logging.getLogger("mizuchi_site.desk")

_SHOWN = 20
_MOST_SPANS = 5000
"""Of a trace that is added up while somebody waits for a page."""


def kept_traces(request_ids: Collection[str]) -> frozenset[str]:
    """Those of which a trace is kept."""
    if not trace_store().is_kept:
        return frozenset()
    try:
        kept = StoredTrace.objects.filter(trace_id__in=request_ids)
        return frozenset(kept.values_list("trace_id", flat=True).distinct())
    except DatabaseError as error:
        logger.warning("the store of traces cannot be read: %s", error)
        return frozenset()


def waits_of(request_id: str) -> Waits | None:
    """Who was waited for in all requests of a trace; None when it is not kept, or a very large one."""
    try:
        size = StoredTrace.objects.filter(trace_id=request_id).aggregate(spans=Sum("span_count"))["spans"]
        tree = load_tree(request_id) if size and size <= _MOST_SPANS else None
    except DatabaseError as error:
        logger.warning("the store of traces cannot be read: %s", error)
        return None
    return None if tree is None else trace_waits(tree)


@dataclass(frozen=True, slots=True)
class TracedRequest:
    """A request without a record of its own: ``traces`` are what is kept of it, ``uploads`` those that it
    belongs to (it sent a part, say)."""

    request_id: str
    traces: Sequence[StoredTrace]
    uploads: Sequence[UploadRecord]


def traced_request(request_id: str) -> TracedRequest:
    """What is known of a request that is no record's."""
    request_id = request_id.strip().lower()
    traces: list[StoredTrace] = []
    if trace_store().is_kept:
        try:
            found = StoredTrace.objects.filter(trace_id=request_id, is_late=False).defer("spans")
            traces = list(found[:_SHOWN])
        except DatabaseError as error:
            logger.warning("the store of traces cannot be read: %s", error)
    digests = {trace.upload_hash for trace in traces if trace.upload_hash}
    uploads = list(UploadRecord.objects.filter(upload_digest__in=digests)[:_SHOWN]) if digests else []
    return TracedRequest(request_id, traces, uploads)
