"""What a worker does before it serves: put right what dead workers left."""

from __future__ import annotations

import logging

from django.db import DatabaseError

from uploads import abandoned
from uploads.apps import configured_gateway
from uploads.backends.errors import BackendError
from uploads.progress import rows
from uploads.quotas.reservations import reconcile

logger = logging.getLogger(__name__)


def recover() -> None:
    """Mark the uploads of dead workers FAILED and remove their temporary files. Safe beside live ones.

    A database or storage that cannot be reached does not keep the worker from starting: readiness tells.
    """
    gateway = configured_gateway()
    _fail_orphans()
    for name, backend in gateway.backends.items():
        try:
            removed = backend.sweep()
        except BackendError as error:
            logger.warning("storage %s could not be swept: %s", name, error)
            continue
        if removed:
            logger.warning("storage %s: %d files of dead workers were removed", name, removed)


def _fail_orphans() -> None:
    try:
        orphans = abandoned.fail_orphans()
        reconcile()
        rows.prune()
    except DatabaseError as error:
        logger.error("the database is not ready (%s); new? then run: manage.py migrate", error)
        return
    if orphans:
        logger.warning("%d uploads were cut off when their worker died; they are marked FAILED", orphans)
