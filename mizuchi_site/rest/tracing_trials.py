"""Trying tracing settings and the way to the collector. Nothing is changed."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import APIException, NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from mizuchi_site.sampling_preview import NothingToJudge, sampling_preview
from mizuchi_site.span_check import send_test_span
from tracing_app.apps import tracing_config
from tracing_app.live.effective import effective
from tracing_app.live.overrides import apply_overrides
from tracing_app.live.preview import NEWEST

from .answers import FAULTS, NOT_FOUND, REFUSED, DetailSerializer
from .tracing_overrides import OverridesField
from .tracing_settings import TracingRestView

MAX_TRACES = 5000


class AskedDryRunSerializer(serializers.Serializer[Any]):
    """All overrides that are to be tried, as in a PUT of the settings."""

    overrides = OverridesField()
    traces = serializers.IntegerField(
        min_value=1,
        max_value=MAX_TRACES,
        default=NEWEST,
        help_text="By so many of the newest traces that are kept.",
    )


class SamplingShareSerializer(serializers.Serializer[Any]):
    """Estimated numbers, of all and of those that are kept."""

    traces = serializers.FloatField()
    kept_traces = serializers.FloatField()
    kept_spans = serializers.FloatField()
    kept_bytes = serializers.FloatField()


class DryRunSerializer(serializers.Serializer[Any]):
    """Judged over ``looked_at`` kept traces of ``seconds`` from ``began`` (Unix seconds) on."""

    looked_at = serializers.IntegerField()
    began = serializers.FloatField()
    seconds = serializers.FloatField()
    spans_per_second = serializers.FloatField()
    bytes_per_day = serializers.FloatField()
    total = SamplingShareSerializer()
    by_reason = serializers.DictField(child=SamplingShareSerializer())
    by_bucket = serializers.DictField(child=SamplingShareSerializer())
    by_operation = serializers.DictField(child=SamplingShareSerializer())


class SamplingPreviewSerializer(serializers.Serializer[Any]):
    """By the settings in force, and by those that were asked about. ``unseen`` counts, by reason, traces that
    ``workers`` workers dropped since their start and for which none that is kept stands."""

    now = DryRunSerializer()
    edited = DryRunSerializer()
    unseen = serializers.DictField(child=serializers.IntegerField())
    workers = serializers.IntegerField()


class SamplingDryRun(TracingRestView):
    """What settings would keep of the traces that are kept on this machine, beside those in force."""

    @extend_schema(
        operation_id="tracing_dry_run",
        request=AskedDryRunSerializer,
        responses={200: SamplingPreviewSerializer, **FAULTS, **REFUSED, **NOT_FOUND},
    )
    def post(self, request: Request) -> Response:
        asked = AskedDryRunSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        data = asked.validated_data
        edited = apply_overrides(tracing_config().sampling, data["overrides"])
        try:
            found = sampling_preview(effective().settings, edited, newest=data["traces"])
        except NothingToJudge as error:
            raise NotFound(str(error)) from None
        now, then = found.preview.now.as_json(), found.preview.edited.as_json()
        return Response({"now": now, "edited": then, "unseen": found.unseen, "workers": found.workers})


class ExportStepSerializer(serializers.Serializer[Any]):
    """``advice`` is empty when it went well."""

    name = serializers.ChoiceField(["resolve", "connect", "tls", "export"])
    seconds = serializers.FloatField()
    detail = serializers.CharField()
    advice = serializers.CharField(allow_blank=True)


class TestSpanSerializer(serializers.Serializer[Any]):
    """How the span fared, up to the first step that failed."""

    endpoint = serializers.CharField()
    is_accepted = serializers.BooleanField()
    steps = ExportStepSerializer(many=True)


class NoCollector(APIException):
    status_code = 409
    default_code = "no_collector"
    default_detail = "There is no collector: tracing.otlp.endpoint is not set, or tracing is off."


class TestSpan(TracingRestView):
    """Send one real span to the collector, within ten seconds."""

    @extend_schema(
        operation_id="tracing_test_span",
        request=None,
        responses={
            200: TestSpanSerializer,
            **REFUSED,
            409: OpenApiResponse(DetailSerializer, "There is no collector"),
        },
    )
    def post(self, request: Request) -> Response:
        sent = send_test_span()
        if sent is None:
            raise NoCollector
        return Response(TestSpanSerializer(sent).data)
