"""The Django application of the house itself: commands and checks."""

from __future__ import annotations

from django.apps import AppConfig


class MizuchiSiteAppConfig(AppConfig):
    """Composes the rooms; has no models."""

    name = "mizuchi_site"
    verbose_name = "Mizuchi Uploadr"
