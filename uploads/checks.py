"""Django system checks of storages: what the reader of config.yaml cannot know."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error

from uploads.backends.registry import build_backend
from uploads.config import DjangoStorageConfig


def check_storage_classes(**kwargs: Any) -> list[CheckMessage]:
    """mizuchi.E001: a Django storage class that cannot be imported, or does not take its options."""
    named = (storage for storage in settings.UPLOADS.storages if isinstance(storage, DjangoStorageConfig))
    return [fault for storage in named for fault in _faults(storage)]


def _faults(storage: DjangoStorageConfig) -> list[CheckMessage]:
    try:
        build_backend(storage)
    except ImportError as error:
        said, hint = str(error), "Correct the dotted path, or install the package that has the class."
    except Exception as error:  # noqa: BLE001 - a third party's class may raise anything about its options
        # Not its text, which may quote an option, and options may be secrets.
        said, hint = type(error).__name__, f"See the documentation of {storage.backend} about its options."
    else:
        return []
    return [
        Error(f"storages.{storage.name} cannot be used: {said}.", hint=hint, id="mizuchi.E001"),
    ]
