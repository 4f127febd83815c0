"""The list of uploads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse

from mizuchi_site.upload_traces import TracedRequest, kept_traces, traced_request
from uploads.advice import Advice, advice_for
from uploads.apps import configured_gateway
from uploads.models import UploadRecord
from uploads.search import find_uploads, is_id

from .diagnosis_link import diagnosis_url
from .newest_page import newest_page
from .page import DeskView
from .upload_filters import UploadFilters

PER_PAGE = 50
_CODES_FROM = 1000
_ALWAYS_SHOWN = ("q", "state", "bucket")
_UNFOLDED = ("principal", "error", "method", "since", "until")
# Those are for the API and for links: who searches by hand has the one field.
_ONLY_WHEN_GIVEN = ("key_prefix", "request_id", "upload")


@dataclass(frozen=True, slots=True)
class Unrecorded:
    """A request id that no upload has: refused before there was a record, or one of several of an upload."""

    request: TracedRequest
    error: str
    advice: Advice | None
    diagnoses: str


class UploadList(DeskView):
    """Upload records, the newest first. Nothing is counted: a page ends where the next begins."""

    title = "Uploads"
    permission = "uploads.view_uploadrecord"
    template_name = "desk/uploads.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        filters = UploadFilters(request.GET)
        context = self.get_context_data(filters=filters, **_form(filters))
        if filters.is_valid():
            context |= _found(request, filters)
        return self.render_to_response(context, status=200 if filters.is_valid() else 400)


def _form(filters: UploadFilters) -> dict[str, Any]:
    """The fields in two groups: those that are always there, and those that unfold."""
    given = filters.given()
    more = [filters[name] for name in (*_UNFOLDED, *(name for name in _ONLY_WHEN_GIVEN if name in given))]
    return {
        "main_fields": [filters[name] for name in _ALWAYS_SHOWN],
        "more_fields": more,
        "is_more_open": any(field.name in given for field in more),
        "buckets": list(configured_gateway().buckets),
        "codes": _newest_codes(),
    }


def _found(request: HttpRequest, filters: UploadFilters) -> dict[str, Any]:
    page = newest_page(request, find_uploads(filters.query()), PER_PAGE)
    rows: list[UploadRecord] = page["rows"]
    may_see_traces = request.user.has_perm("mizuchi_site.view_traces")
    text = filters.cleaned_data["q"] or filters.cleaned_data["request_id"]
    return {
        **page,
        "is_filtered": bool(filters.given()),
        "traced": kept_traces([record.request_id for record in rows]) if may_see_traces else frozenset(),
        "unrecorded": _unrecorded(request, text, may_see_traces) if not rows and is_id(text) else None,
    }


def _unrecorded(request: HttpRequest, request_id: str, may_see_traces: bool) -> Unrecorded:
    traced = traced_request(request_id)
    error = next((trace.error for trace in traced.traces if trace.error), "")
    if not may_see_traces:
        traced, error = TracedRequest(traced.request_id, (), traced.uploads), ""
    return Unrecorded(traced, error, advice_for(error), diagnosis_url(request.user, error, traced.request_id))


def _newest_codes() -> list[str]:
    """The codes of the newest failures."""
    failed = UploadRecord.objects.filter(state=UploadRecord.State.FAILED)
    return sorted(set(failed.values_list("error_code", flat=True)[:_CODES_FROM]) - {""})
