"""The Django application of the house itself: commands and checks."""

from __future__ import annotations

from django.apps import AppConfig
from django.core.checks import Tags, register


class MizuchiSiteAppConfig(AppConfig):
    """Composes the rooms; has no models."""

    name = "mizuchi_site"
    verbose_name = "Mizuchi Uploadr"

    def ready(self) -> None:
        from mizuchi_site.checks import check_shared_secret

        register(check_shared_secret, Tags.security)
