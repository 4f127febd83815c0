"""Uploads: their records, and how far those have come that are under way."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from mizuchi_site.desk.upload_filters import UploadFilters
from mizuchi_site.upload_details import UploadDetails, details_of
from mizuchi_site.upload_timing import LABELS, Share, Timing
from uploads.advice import Advice
from uploads.models import UploadProgress, UploadRecord
from uploads.progress.board import Board, UploadInFlight, uploads_in_flight
from uploads.search import find_uploads

from .answers import FAULTS, NOT_FOUND, REFUSED
from .decisions import DecisionSerializer
from .form_parameters import form_parameters
from .paging import PageFilters, asked_for, newest
from .views import RestView

_DIGITS = 19
_RECORD_FIELDS = [
    "id",
    "request_id",
    "bucket",
    "key",
    "principal",
    "auth_method",
    "method",
    "state",
    "error_code",
    "size",
    "received_bytes",
    "parts",
    "etag",
    "checksums",
    "checksum_type",
    "content_type",
    "version_id",
    "upload_digest",
    "worker",
    "started_at",
    "finished_at",
    "last_part_at",
    "receive_wait_ms",
    "backend_wait_ms",
]


class UploadSerializer(serializers.ModelSerializer[UploadRecord]):
    """The record of an upload. ``upload_digest`` stands for the id of a multipart upload."""

    checksums = serializers.DictField(child=serializers.CharField())

    class Meta:
        model = UploadRecord
        fields = _RECORD_FIELDS


class UploadPageSerializer(serializers.Serializer[Any]):
    """``next`` is where older ones are, null at the end."""

    next = serializers.URLField(allow_null=True)
    results = UploadSerializer(many=True)


class PagedUploadFilters(UploadFilters, PageFilters):
    """The filters, and which page."""


class Uploads(RestView):
    """Records of uploads, the newest first."""

    permission = "uploads.view_uploadrecord"

    @extend_schema(
        operation_id="uploads_list",
        parameters=form_parameters(PagedUploadFilters),
        responses={200: UploadPageSerializer, **FAULTS, **REFUSED},
    )
    def get(self, request: Request) -> Response:
        asked = asked_for(PagedUploadFilters, request)
        return Response(UploadPageSerializer(newest(find_uploads(asked.query()), asked, request)).data)


class BodySerializer(serializers.ModelSerializer[UploadProgress]):
    """A body on its way: the object, or a part of it."""

    class Meta:
        model = UploadProgress
        fields = [
            "part_number",
            "stage",
            "received_bytes",
            "declared_bytes",
            "bytes_per_second",
            "began_at",
        ]


class FlightSerializer(serializers.Serializer[UploadInFlight]):
    """An upload under way. A multipart upload is ``waiting`` when none of its parts is on its way."""

    id = serializers.IntegerField(source="record.pk")
    request_id = serializers.CharField(source="record.request_id")
    bucket = serializers.CharField(source="record.bucket")
    key = serializers.CharField(source="record.key")
    principal = serializers.CharField(source="record.principal")
    method = serializers.ChoiceField(UploadRecord.Method.choices, source="record.method")
    stage = serializers.ChoiceField(["receiving", "storing", "waiting"])
    received_bytes = serializers.IntegerField(help_text="Of a part that was sent again, all.")
    declared_bytes = serializers.IntegerField(allow_null=True)
    bytes_per_second = serializers.FloatField(help_text="Over the last seconds.")
    parts = serializers.IntegerField(source="record.parts", allow_null=True)
    began_at = serializers.DateTimeField()
    last_part_at = serializers.DateTimeField(source="record.last_part_at", allow_null=True)
    bodies = BodySerializer(many=True)


class BoardSerializer(serializers.Serializer[Board]):
    """Those that are under way for more than two seconds, and multipart uploads that are not over.
    ``is_cut_off``: there are more."""

    uploads = FlightSerializer(many=True)
    just_begun = serializers.IntegerField(help_text="How many more are under way.")
    is_cut_off = serializers.BooleanField()


class UploadsInFlight(RestView):
    """What is under way, over all workers and nodes."""

    permission = "uploads.view_uploadrecord"

    @extend_schema(operation_id="uploads_in_flight", responses={200: BoardSerializer, **REFUSED})
    def get(self, request: Request) -> Response:
        return Response(BoardSerializer(uploads_in_flight()).data)


class AdviceSerializer(serializers.Serializer[Advice]):
    """What an error code means to an operator."""

    meaning = serializers.CharField()
    remedy = serializers.CharField()


class ShareSerializer(serializers.Serializer[Share]):
    """Who was waited for, and how long."""

    who = serializers.ChoiceField(list(LABELS))
    ms = serializers.FloatField()


class TimingSerializer(serializers.Serializer[Timing]):
    """Where the time of an upload went."""

    total_ms = serializers.FloatField()
    shares = ShareSerializer(many=True)
    known_from = serializers.ChoiceField(["trace", "record"])


class UploadDetailsSerializer(UploadSerializer):
    """The record, and what is known besides. ``decisions`` and ``has_trace`` are null for who may not see
    those."""

    progress = FlightSerializer(allow_null=True)
    advice = AdviceSerializer(allow_null=True)
    timing = TimingSerializer(allow_null=True)
    decisions = DecisionSerializer(many=True, allow_null=True)
    has_trace = serializers.BooleanField(allow_null=True)

    class Meta:
        model = UploadRecord
        fields = [*_RECORD_FIELDS, "progress", "advice", "timing", "decisions", "has_trace"]


class OneUpload(RestView):
    """An upload by the id of its record."""

    permission = "uploads.view_uploadrecord"

    @extend_schema(
        operation_id="upload",
        parameters=[OpenApiParameter("id", OpenApiTypes.INT64, OpenApiParameter.PATH)],
        responses={200: UploadDetailsSerializer, **REFUSED, **NOT_FOUND},
    )
    def get(self, request: Request, pk: str) -> Response:
        is_number = pk.isascii() and pk.isdigit() and len(pk) < _DIGITS
        record = UploadRecord.objects.filter(pk=int(pk)).first() if is_number else None
        if record is None:
            raise NotFound("There is no such upload.")
        return Response(_shown(request, details_of(record)))


def _shown(request: Request, details: UploadDetails) -> dict[str, Any]:
    may_see_decisions = request.user.has_perm("authz.view_policydecision")
    may_see_traces = request.user.has_perm("mizuchi_site.view_traces")
    return {
        **UploadSerializer(details.record).data,
        "progress": details.progress and FlightSerializer(details.progress).data,
        "advice": details.advice and AdviceSerializer(details.advice).data,
        "timing": details.timing and TimingSerializer(details.timing).data,
        "decisions": DecisionSerializer(details.decisions, many=True).data if may_see_decisions else None,
        "has_trace": details.has_trace if may_see_traces else None,
    }
