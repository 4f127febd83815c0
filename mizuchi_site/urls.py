"""Pages. Probes and the S3 API are not here; see ``wsgi`` and ``front_door``."""

from __future__ import annotations

from django.contrib import admin
from django.urls import path

urlpatterns = [path("admin/", admin.site.urls)]
