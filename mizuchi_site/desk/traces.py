"""The list of traces, below a plot of their durations."""

from __future__ import annotations

import logging
from typing import Any
from urllib.parse import urlencode

from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from tracing_app.store.models import StoredTrace
from tracing_app.store.search import find_traces
from uploads.apps import configured_gateway

from .page import DeskView
from .trace_filters import TraceFilters
from .trace_pages import Cursor, trace_page
from .trace_store import trace_store

logger = logging.getLogger("mizuchi_site.desk")

PER_PAGE = 50
_CODES_FROM = 2000
_ALWAYS_SHOWN = ("request_id", "outcome", "slower_than_ms", "operation", "bucket")


class TraceList(DeskView):
    """The store's traces, the newest first. Nothing is counted: a page ends where the next begins."""

    title = "Traces"
    permission = "mizuchi_site.view_traces"
    template_name = "desk/traces.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        store, filters = trace_store(), TraceFilters(request.GET)
        context = self.get_context_data(store=store, filters=filters, **_form(filters))
        if not filters.is_valid():
            return self.render_to_response(context, status=400)
        if not store.is_kept:
            trace_id = filters.cleaned_data["request_id"].lower()
            elsewhere = {"trace_id": trace_id, "external_url": trace_id and store.ui_url(trace_id)}
            return self.render_to_response({**context, **elsewhere})
        try:
            found = _found(filters, _place(request.GET.get("before", "")))
        except DatabaseError as error:
            logger.error("the store of traces cannot be read: %s", error)
            return self.render_to_response({**context, "is_unreadable": True}, status=503)
        return self.render_to_response({**context, **found})


def _form(filters: TraceFilters) -> dict[str, Any]:
    """The fields in two groups: those that are always there, and those that unfold."""
    more = [field for field in filters if field.name not in _ALWAYS_SHOWN]
    return {
        "main_fields": [filters[name] for name in _ALWAYS_SHOWN],
        "more_fields": more,
        "is_more_open": any(field.value() or field.errors for field in more),
        "buckets": list(configured_gateway().buckets),
    }


def _place(text: str) -> Cursor | None:
    """Where a page begins; what is no place is the first page."""
    try:
        return Cursor.parse(text)
    except ValueError:
        return None


def _found(filters: TraceFilters, before: Cursor | None) -> dict[str, Any]:
    page = trace_page(find_traces(filters.query()), before, PER_PAGE)
    parameters = asked_parameters(filters)
    return {
        "traces": page.rows,
        "older": urlencode({**parameters, "before": str(page.older)}) if page.older else "",
        "is_first_page": before is None,
        "newest": urlencode(parameters),
        "codes": _newest_codes(),
        "points": f"{reverse('rest:trace-points')}?{urlencode(parameters)}",
    }


def asked_parameters(filters: TraceFilters) -> dict[str, str]:
    """The query string's parameters that say something, as they were given."""
    return {name: value for name in filters.fields if (value := filters.data.get(name, "").strip())}


def _newest_codes() -> list[str]:
    newest = StoredTrace.objects.order_by("-id").values_list("error", flat=True)[:_CODES_FROM]
    return sorted(set(newest) - {""})
