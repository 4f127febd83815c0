"""The addresses of the REST API, below ``/api/v1/``."""

from __future__ import annotations

from django.urls import path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from .access_keys import AccessKeys, OneAccessKey
from .audit import Audit
from .browser_uploads import BrowserUploads
from .buckets import Buckets
from .configuration import Configuration
from .decisions import Decisions
from .diagnoses import Diagnoses, DiagnosesOfRequest
from .policy_test import PolicyTest
from .status import StatusOfGateway
from .tokens import ObtainToken, RefreshToken
from .trace_spans import OneTrace, TraceOtlp
from .traces import TracePoints, Traces
from .tracing_settings import (
    RestoreTracingRevision,
    TracingRevisions,
    TracingSettings,
    UndoTracingRevision,
)
from .tracing_trials import SamplingDryRun, TestSpan
from .uploads import OneUpload, Uploads, UploadsInFlight
from .views import RestView
from .webhooks import (
    OneWebhookDelivery,
    ReplayWebhookDeliveries,
    ReplayWebhookDelivery,
    WebhookDeliveries,
)


class Schema(SpectacularAPIView):
    """The OpenAPI description of this API."""

    authentication_classes = RestView.authentication_classes
    permission_classes = RestView.permission_classes
    permission = "mizuchi_site.view_status"


class SchemaPage(SpectacularSwaggerSplitView):
    """The description as a page, with its script in a file: no inline script is allowed."""

    authentication_classes = RestView.authentication_classes
    permission_classes = RestView.permission_classes
    permission = "mizuchi_site.view_status"
    url_name = "rest:schema"
    template_name = "desk/api.html"


app_name = "rest"
urlpatterns = [
    path("access-keys/", AccessKeys.as_view(), name="access-keys"),
    path("access-keys/<str:access_key_id>/", OneAccessKey.as_view(), name="access-key"),
    path("audit/", Audit.as_view(), name="audit"),
    path("buckets/", Buckets.as_view(), name="buckets"),
    path("decisions/", Decisions.as_view(), name="decisions"),
    path("diagnoses/", Diagnoses.as_view(), name="diagnoses"),
    path("diagnoses/<str:request_id>/", DiagnosesOfRequest.as_view(), name="request-diagnoses"),
    path("policy-test/", PolicyTest.as_view(), name="policy-test"),
    path("browser-uploads/", BrowserUploads.as_view(), name="browser-uploads"),
    path("status/", StatusOfGateway.as_view(), name="status"),
    path("token/", ObtainToken.as_view(), name="token"),
    path("token/refresh/", RefreshToken.as_view(), name="token-refresh"),
    path("schema/", Schema.as_view(), name="schema"),
    path("traces/", Traces.as_view(), name="traces"),
    path("traces/points/", TracePoints.as_view(), name="trace-points"),
    path("traces/<str:trace_id>/", OneTrace.as_view(), name="trace"),
    path("traces/<str:trace_id>/otlp/", TraceOtlp.as_view(), name="trace-otlp"),
    path("uploads/", Uploads.as_view(), name="uploads"),
    path("uploads/in-flight/", UploadsInFlight.as_view(), name="uploads-in-flight"),
    path("uploads/<str:pk>/", OneUpload.as_view(), name="upload"),
    path("webhooks/deliveries/", WebhookDeliveries.as_view(), name="webhook-deliveries"),
    path("webhooks/deliveries/replay/", ReplayWebhookDeliveries.as_view(), name="webhook-replays"),
    path("webhooks/deliveries/<str:delivery_id>/", OneWebhookDelivery.as_view(), name="webhook-delivery"),
    path(
        "webhooks/deliveries/<str:delivery_id>/replay/",
        ReplayWebhookDelivery.as_view(),
        name="webhook-replay",
    ),
    path("configuration/", Configuration.as_view(), name="configuration"),
    path("tracing/settings/", TracingSettings.as_view(), name="tracing-settings"),
    path("tracing/settings/undo/", UndoTracingRevision.as_view(), name="tracing-undo"),
    path("tracing/settings/revisions/", TracingRevisions.as_view(), name="tracing-revisions"),
    path(
        "tracing/settings/revisions/<str:number>/restore/",
        RestoreTracingRevision.as_view(),
        name="tracing-restore",
    ),
    path("tracing/dry-run/", SamplingDryRun.as_view(), name="tracing-dry-run"),
    path("tracing/test-span/", TestSpan.as_view(), name="tracing-test-span"),
    path("docs/", SchemaPage.as_view(), name="docs"),
]
