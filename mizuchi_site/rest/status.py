"""How the gateway is, as the status page shows it."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from mizuchi_site.status import BucketStatus, Status, Step, current_status
from mizuchi_site.workers.roll import Worker
from mizuchi_site.workers.summary import EXPORTS, EngineSummary, ExportSummary, SamplingSummary
from tracing_app.health.base import Health
from uploads.statistics.figures import Figures
from uploads.statistics.window import WINDOWS

from .answers import FAULTS, REFUSED
from .views import RestView


class FiguresSerializer(serializers.Serializer[Figures]):
    """Counts, rates, shares from 0 to 1, and milliseconds; null where there is nothing to tell of."""

    requests = serializers.IntegerField()
    uploads = serializers.IntegerField(help_text="Objects stored.")
    client_errors = serializers.IntegerField(help_text="Answered 4xx.")
    server_errors = serializers.IntegerField(help_text="Answered 5xx.")
    bytes_received = serializers.IntegerField()
    requests_per_minute = serializers.FloatField()
    uploads_per_minute = serializers.FloatField()
    bytes_per_second = serializers.FloatField()
    success_share = serializers.FloatField(allow_null=True)
    client_error_share = serializers.FloatField(allow_null=True)
    server_error_share = serializers.FloatField(allow_null=True)
    p50_ms = serializers.FloatField(
        allow_null=True, help_text="Of the requests that stored an object or a part, head to answer."
    )
    p95_ms = serializers.FloatField(allow_null=True)
    p99_ms = serializers.FloatField(allow_null=True)
    transfers = serializers.IntegerField(help_text="Requests whose body flowed to a storage.")
    receive_wait_ms = serializers.FloatField(
        allow_null=True, help_text="How long a transfer waited for its client, in the mean."
    )
    backend_wait_ms = serializers.FloatField(allow_null=True, help_text="The same for the storage.")
    gateway_ms = serializers.FloatField(allow_null=True, help_text="The rest of a transfer's time.")


class StepSerializer(serializers.Serializer[Step]):
    """The figures of one step of the window."""

    began_at = serializers.DateTimeField()
    figures = FiguresSerializer()


class BucketStatusSerializer(serializers.Serializer[BucketStatus]):
    """One bucket; ``-`` stands for requests that named none of the configuration."""

    bucket = serializers.CharField()
    in_flight = serializers.IntegerField()
    figures = FiguresSerializer()


class HealthCheckSerializer(serializers.Serializer[Health]):
    """What readiness asks, too, as the answering worker finds it."""

    name = serializers.CharField()
    status = serializers.ChoiceField(["ok", "degraded", "failed"])
    detail = serializers.CharField(allow_blank=True)
    seconds = serializers.FloatField()


class CountsField(serializers.DictField):
    child = serializers.IntegerField()


class ExportSerializer(serializers.Serializer[ExportSummary]):
    """An export of all workers together: of spans to the collector or to the store, or of log records."""

    name = serializers.ChoiceField(EXPORTS)
    state = serializers.CharField(help_text="The worst: healthy, failing, spooling, losing, rejecting.")
    breakers = CountsField(help_text="Workers by the state of their circuit breaker.")
    exported = serializers.IntegerField()
    queued = serializers.IntegerField()
    in_flight = serializers.IntegerField()
    retries = serializers.IntegerField()
    rejected = serializers.IntegerField()
    dropped = CountsField(help_text="By reason.")
    spooled = serializers.IntegerField()
    spool_bytes = serializers.IntegerField()
    last_success_at = serializers.DateTimeField(allow_null=True)
    last_error = serializers.CharField(allow_blank=True)
    last_error_at = serializers.DateTimeField(allow_null=True)


class SamplingSerializer(serializers.Serializer[SamplingSummary]):
    """Traces of all workers, by why they were kept or dropped."""

    kept = CountsField()
    dropped = CountsField()
    held = serializers.IntegerField(help_text="Of uploads in progress, undecided.")


class EngineStatusSerializer(serializers.Serializer[EngineSummary]):
    """A policy engine as all workers know it."""

    engine = serializers.CharField()
    endpoint = serializers.CharField()
    buckets = serializers.ListField(child=serializers.CharField())
    breakers = CountsField(help_text="Workers by the state of their circuit breaker.")
    allowed = serializers.IntegerField()
    denied = serializers.IntegerField()
    failed = serializers.IntegerField()
    cache_hits = serializers.IntegerField()
    mean_ms = serializers.FloatField()
    last_error = serializers.CharField(allow_blank=True)
    last_error_at = serializers.DateTimeField(allow_null=True)


class WorkerSerializer(serializers.Serializer[Worker]):
    """A worker process. ``is_gone``: it said nothing for 20 seconds, and did not say goodbye."""

    worker = serializers.CharField()
    node = serializers.CharField()
    pid = serializers.IntegerField()
    version = serializers.CharField()
    started_at = serializers.DateTimeField()
    memory_bytes = serializers.IntegerField(allow_null=True)
    in_flight = CountsField(help_text="Requests under way by bucket.")
    silent_seconds = serializers.FloatField()
    is_gone = serializers.BooleanField()


class StatusSerializer(serializers.Serializer[Status]):
    """What was counted in the ``seconds`` up to ``at``, and how things are now."""

    window = serializers.ChoiceField(list(WINDOWS), source="window.name")
    step_seconds = serializers.IntegerField(source="window.step_seconds")
    at = serializers.DateTimeField()
    seconds = serializers.FloatField()
    in_flight = serializers.IntegerField()
    figures = FiguresSerializer()
    steps = StepSerializer(many=True, help_text="Those that are over, the oldest first.")
    buckets = BucketStatusSerializer(many=True)
    checks = HealthCheckSerializer(many=True)
    exports = ExportSerializer(many=True)
    sampling = SamplingSerializer()
    engines = EngineStatusSerializer(many=True)
    workers = WorkerSerializer(many=True)


class StatusQuerySerializer(serializers.Serializer[Any]):
    """Of how long it is told."""

    window = serializers.ChoiceField(list(WINDOWS), default="15m")


class StatusOfGateway(RestView):
    """How the gateway is: counts of all workers over a window of time, workers, export, engines, storages."""

    permission = "mizuchi_site.view_status"

    @extend_schema(
        operation_id="status",
        parameters=[StatusQuerySerializer],
        responses={200: StatusSerializer, **FAULTS, **REFUSED},
    )
    def get(self, request: Request) -> Response:
        asked = StatusQuerySerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        return Response(StatusSerializer(current_status(WINDOWS[asked.validated_data["window"]])).data)
