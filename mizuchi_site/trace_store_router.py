"""Which database holds the store of traces."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db.models import Model

LABEL = "trace_store"
"""The app label of the store."""

OWN = "traces"
"""The alias of a database of its own."""


class TraceStoreRouter:
    """The database ``traces`` where the settings have one, the main one otherwise."""

    def db_for_read(self, model: type[Model], **hints: Any) -> str | None:
        return self._database(model._meta.app_label)

    def db_for_write(self, model: type[Model], **hints: Any) -> str | None:
        return self._database(model._meta.app_label)

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool | None:
        if OWN not in settings.DATABASES:
            return None
        return (db == OWN) == (app_label == LABEL)

    def _database(self, app_label: str) -> str | None:
        return OWN if app_label == LABEL and OWN in settings.DATABASES else None
