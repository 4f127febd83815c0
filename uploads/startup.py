"""What a worker does before it serves: put right what dead workers left."""

from __future__ import annotations

import logging

from django.apps import apps

from uploads import records
from uploads.backends.errors import BackendError
from uploads.gateway import Gateway

logger = logging.getLogger(__name__)


def recover() -> None:
    """Mark the uploads of dead workers FAILED and remove their temporary files. Safe beside live ones.

    A storage that cannot be reached does not keep the worker from starting: readiness will tell.
    """
    gateway: Gateway = apps.get_app_config("uploads").gateway
    orphans = records.fail_orphans()
    if orphans:
        logger.warning("%d uploads were cut off when their worker died; they are marked FAILED", orphans)
    for name, backend in gateway.backends.items():
        try:
            removed = backend.sweep()
        except BackendError as error:
            logger.warning("storage %s could not be swept: %s", name, error)
            continue
        if removed:
            logger.warning("storage %s: %d files of dead workers were removed", name, removed)
