"""Pages: the admin and the health endpoints. The S3 API is not here; see ``front_door``."""

from __future__ import annotations

from collections.abc import Sequence

from django.apps import apps
from django.contrib import admin
from django.urls import path

from mizuchi_site.server.drain import is_draining
from tracing_app.health.base import Check
from tracing_app.health.views import livez, ready_view
from uploads import health


def _not_draining() -> str:
    if is_draining():
        raise RuntimeError("the server is shutting down")
    return "serving"


def readiness() -> Sequence[Check]:
    """Every check of every room, and whether this server is shutting down."""
    return [Check("server", _not_draining), *health.checks(apps.get_app_config("uploads").gateway)]


urlpatterns = [
    path("livez", livez),
    path("readyz", ready_view(readiness)),
    path("admin/", admin.site.urls),
]
