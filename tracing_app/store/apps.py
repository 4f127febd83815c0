from __future__ import annotations

from django.apps import AppConfig


class TraceStoreAppConfig(AppConfig):
    """The local store of traces: an app of its own, so that its table can be in another database."""

    name = "tracing_app.store"
    label = "trace_store"
    verbose_name = "Traces"
    default_auto_field = "django.db.models.BigAutoField"
