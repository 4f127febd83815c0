from __future__ import annotations

from functools import cached_property

from django.apps import AppConfig, apps
from django.conf import settings
from django.core.checks import Tags, register

from authz.config import AuthzConfig
from authz.encryption import SecretBox


class AuthzAppConfig(AppConfig):
    """Holds what the room was configured with, for this process."""

    name = "authz"
    verbose_name = "Access"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from authz.checks import check_anonymous_buckets

        register(check_anonymous_buckets, Tags.security)

    @property
    def config(self) -> AuthzConfig:
        config: AuthzConfig = settings.AUTHZ
        return config

    @cached_property
    def secret_box(self) -> SecretBox:
        return SecretBox(self.config.encryption_keys)


def authz_app() -> AuthzAppConfig:
    """The room of this process."""
    config = apps.get_app_config("authz")
    assert isinstance(config, AuthzAppConfig)
    return config
