from __future__ import annotations

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import register

from tracing_app.config import TracingConfig


class TracingAppConfig(AppConfig):
    name = "tracing_app"
    verbose_name = "Tracing"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from tracing_app.checks import check_tracing

        register(check_tracing)


def tracing_config() -> TracingConfig:
    """What this process's configuration says of tracing."""
    config: TracingConfig = settings.TRACING
    return config
