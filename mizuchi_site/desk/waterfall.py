"""One trace as a waterfall: every span of every request that shares its id."""

from __future__ import annotations

import logging
import re
from typing import Any

from django.db import DatabaseError
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse

from tracing_app.store.tree import Tree
from uploads.models import UploadRecord

from .page import DeskView
from .shown_spans import requests_of
from .shown_trace import Asked, load_shown
from .trace_facts import TraceFacts, trace_facts
from .trace_store import trace_store
from .waterfall_lanes import waterfall_lanes

logger = logging.getLogger("mizuchi_site.desk")

_TRACE_ID = re.compile("[0-9a-fA-F]{32}")
_NUMBER = re.compile("[1-9][0-9]{0,8}", re.ASCII)
_RECORDS_SHOWN = 10


class Waterfall(DeskView):
    """A trace of the store. In the query are numbers of requests, from 1: ``first``, that a large trace is
    shown from, and ``request``, to see it alone."""

    title = "Trace"
    permission = "mizuchi_site.view_traces"
    template_name = "desk/waterfall.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        trace_id = str(kwargs["trace_id"]).lower()
        if not _TRACE_ID.fullmatch(trace_id):
            raise Http404("no trace id")
        store = trace_store()
        context = {"store": store, "trace_id": trace_id, "external_url": store.ui_url(trace_id)}
        if not store.is_kept:
            return self.render_to_response(self.get_context_data(**context))
        asked = _asked(request)
        try:
            shown = load_shown(trace_id, asked)
        except DatabaseError as error:
            logger.error("the store of traces cannot be read: %s", error)
            return self.render_to_response(self.get_context_data(**context, is_unreadable=True), status=503)
        if shown is None:
            return self.render_to_response(self.get_context_data(**context), status=404)
        facts = trace_facts(shown.tree, span_count=shown.span_count)
        return self.render_to_response(
            self.get_context_data(
                **context,
                title=f"Trace of {facts.title}",
                facts=facts,
                shown=shown,
                otlp_url=reverse("rest:trace-otlp", args=[trace_id]),
                records=_records(request, trace_id, facts),
                waterfall=waterfall_lanes(shown.tree, shown.folded),
                window=_span_at(shown.tree, asked.first),
            )
        )


def _records(request: HttpRequest, trace_id: str, facts: TraceFacts) -> list[UploadRecord]:
    """The uploads that the trace is of, for who may see them."""
    if not request.user.has_perm("uploads.view_uploadrecord"):
        return []
    named = Q(request_id=trace_id) | Q(upload_digest__in=facts.upload_hashes[:_RECORDS_SHOWN])
    return list(UploadRecord.objects.filter(named).order_by("-id")[:_RECORDS_SHOWN])


def _span_at(tree: Tree, first: int) -> str:
    """The span id of the request that the window begins with, for links to it; "" at the beginning."""
    return next((node.span_id for node in requests_of(tree)[first : first + 1] if first), "")


def _asked(request: HttpRequest) -> Asked:
    """What is no number was not asked for."""
    first, alone = (request.GET.get(name, "") for name in ("first", "request"))
    return Asked(
        int(first) - 1 if _NUMBER.fullmatch(first) else 0,
        int(alone) - 1 if _NUMBER.fullmatch(alone) else None,
    )
