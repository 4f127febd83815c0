"""Pages. Probes and the S3 API are not here; see ``wsgi`` and ``front_door``."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

from authz.health import PolicyHealthView
from tracing_app.health.exporter import TracingHealthView

urlpatterns = [
    path("admin/", admin.site.urls),
    path("api/v1/", include("mizuchi_site.rest.urls")),
    path("health/tracing", TracingHealthView.as_view()),
    path("health/authz", PolicyHealthView.as_view()),
]
