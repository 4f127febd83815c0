"""Pages. Probes and the S3 API are not here; see ``wsgi`` and ``front_door``."""

from __future__ import annotations

from django.contrib import admin
from django.urls import path

from authz.health import PolicyHealthView
from tracing_app.health.exporter import TracingHealthView

admin.site.site_header = admin.site.site_title = "Mizuchi Uploadr"
admin.site.index_title = "Administration"
admin.site.site_url = None  # / is the S3 API
admin.site.enable_nav_sidebar = False  # keys are long, and there are few pages

urlpatterns = [
    path("admin/", admin.site.urls),
    path("health/tracing", TracingHealthView.as_view()),
    path("health/authz", PolicyHealthView.as_view()),
]
