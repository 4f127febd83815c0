from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from django.apps import AppConfig, apps
from django.conf import settings
from django.core.checks import Tags, register

if TYPE_CHECKING:
    from uploads.gateway import Gateway
    from uploads.statistics.metrics import RequestMetrics
    from uploads.statistics.recorder import RequestRecorder


class UploadsAppConfig(AppConfig):
    """Holds what is one for each process: the gateway, built when the first request needs it, and what its
    requests are counted with."""

    name = "uploads"
    verbose_name = "Uploads"
    default_auto_field = "django.db.models.BigAutoField"

    request_recorder: RequestRecorder
    request_metrics: RequestMetrics | None = None
    """None: none are shown. The composition sets it."""

    def ready(self) -> None:
        from uploads.checks import check_storage_classes
        from uploads.statistics.recorder import RequestRecorder

        self.request_recorder = RequestRecorder()
        register(check_storage_classes, Tags.compatibility)

    @cached_property
    def gateway(self) -> Gateway:
        from authz.authentication import configured_authenticator
        from uploads.gateway import build_gateway

        return build_gateway(settings.UPLOADS, configured_authenticator())


def uploads_app() -> UploadsAppConfig:
    """The room of this process."""
    config = apps.get_app_config("uploads")
    assert isinstance(config, UploadsAppConfig)
    return config


def configured_gateway() -> Gateway:
    """The gateway of this process's configuration."""
    return uploads_app().gateway
