"""Traces kept on this machine: lists of requests."""

from __future__ import annotations

import logging
from typing import Any, get_args
from urllib.parse import urlencode

from django import forms
from django.core.validators import RegexValidator
from django.db import DatabaseError
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import APIException, NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from mizuchi_site.desk.trace_filters import TraceFilters
from mizuchi_site.desk.trace_pages import Cursor, trace_page
from mizuchi_site.desk.trace_store import trace_store
from tracing_app.store.models import Outcome, StoredTrace
from tracing_app.store.requests import LatencyPoint, latency_points
from tracing_app.store.search import find_traces

from .answers import FAULTS, REFUSED, DetailSerializer
from .form_parameters import form_parameters
from .paging import asked_for
from .views import RestView

OUTCOMES = get_args(Outcome)

logger = logging.getLogger("mizuchi_site.rest")


class StoreUnreadable(APIException):
    """The store is there and does not answer."""

    status_code = 503
    default_code = "store_unreadable"
    default_detail = "The store of traces cannot be read. The gateway's log says why."


class TraceRestView(RestView):
    """What all views over the store have in common: without a store there is nothing, and it may fail."""

    permission = "mizuchi_site.view_traces"

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if not trace_store().is_kept:
            raise NotFound("No traces are kept on this machine: tracing.local_store is off.")

    def handle_exception(self, exc: Exception) -> Response:
        if isinstance(exc, DatabaseError):
            logger.error("the store of traces cannot be read: %s", exc)
            exc = StoreUnreadable()
        return super().handle_exception(exc)


ANSWERS = {
    **REFUSED,
    404: OpenApiResponse(DetailSerializer, "Not kept, or no traces are kept on this machine"),
    503: OpenApiResponse(DetailSerializer, "The store cannot be read"),
}


class TraceSerializer(serializers.ModelSerializer[StoredTrace]):
    """One request. Those of one multipart upload share the ``trace_id``, which is the request id too."""

    outcome = serializers.ChoiceField(OUTCOMES)

    class Meta:
        model = StoredTrace
        fields = [
            "id",
            "trace_id",
            "started_at",
            "duration_ms",
            "name",
            "operation",
            "bucket",
            "key",
            "upload_hash",
            "principal_hash",
            "status",
            "error",
            "outcome",
            "bytes",
            "receive_wait_ms",
            "backend_wait_ms",
            "reason",
            "rule",
            "rate",
            "span_count",
        ]


class TracePageSerializer(serializers.Serializer[Any]):
    """``next`` is where older ones are, null at the end."""

    next = serializers.URLField(allow_null=True)
    results = TraceSerializer(many=True)


class CursorField(forms.CharField):
    """Where a page begins, as the one before says."""

    default_validators = [RegexValidator(Cursor.FORM, "This is not a place in a list of traces.")]

    def clean(self, value: Any) -> Cursor | None:
        text: str = super().clean(value)
        return Cursor.parse(text) if text else None


class PagedTraceFilters(TraceFilters):
    """The filters, and which page."""

    limit = forms.IntegerField(label="At most so many (50)", required=False, min_value=1, max_value=500)
    before = CursorField(label="Where the page begins: from next", required=False, max_length=40)


class Traces(TraceRestView):
    """Requests that were kept, the newest first."""

    @extend_schema(
        operation_id="traces_list",
        parameters=form_parameters(PagedTraceFilters),
        responses={200: TracePageSerializer, **FAULTS, **ANSWERS},
    )
    def get(self, request: Request) -> Response:
        asked = asked_for(PagedTraceFilters, request)
        limit, before = asked.cleaned_data.pop("limit") or 50, asked.cleaned_data.pop("before")
        page = trace_page(find_traces(asked.query()), before, limit)
        more = None
        if page.older:
            parameters = request.query_params.dict() | {"before": str(page.older)}
            more = f"{reverse('rest:traces', request=request)}?{urlencode(parameters)}"
        return Response(TracePageSerializer({"next": more, "results": page.rows}).data)


class PointSerializer(serializers.Serializer[LatencyPoint]):
    """One request as a point of a plot."""

    trace_id = serializers.CharField()
    started_at = serializers.DateTimeField()
    duration_ms = serializers.FloatField()
    name = serializers.CharField()
    operation = serializers.CharField()
    bucket = serializers.CharField()
    status = serializers.IntegerField(allow_null=True)
    error = serializers.CharField()
    outcome = serializers.ChoiceField(OUTCOMES)


class PointsSerializer(serializers.Serializer[Any]):
    """``is_complete``: there are no older ones."""

    is_complete = serializers.BooleanField()
    points = PointSerializer(many=True)


class PointFilters(TraceFilters):
    """The filters, and how many."""

    limit = forms.IntegerField(label="At most so many (1000)", required=False, min_value=1, max_value=5000)


class TracePoints(TraceRestView):
    """Requests by time and duration, for a plot: the newest that match."""

    @extend_schema(
        operation_id="traces_points",
        parameters=form_parameters(PointFilters),
        responses={200: PointsSerializer, **FAULTS, **ANSWERS},
    )
    def get(self, request: Request) -> Response:
        asked = asked_for(PointFilters, request)
        limit = asked.cleaned_data.pop("limit") or 1000
        points = latency_points(asked.query(), newest=limit + 1)
        answer = {"is_complete": len(points) <= limit, "points": points[:limit]}
        return Response(PointsSerializer(answer).data)
