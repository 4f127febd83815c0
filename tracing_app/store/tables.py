"""The store's own database makes itself and keeps up to date by itself: it is a cache, not a record."""

from __future__ import annotations

import fcntl
import logging
from pathlib import Path

from django.core.management import call_command
from django.db import DatabaseError, connections, router

from .models import StoredTrace

logger = logging.getLogger("mizuchi.tracing.store")

_MAIN = "default"


def ensure_tables() -> bool:
    """Make the store's database ready, before anybody writes to it; whether it is. That of the main database
    is made by ``manage.py migrate``. Processes that start together take turns."""
    database = router.db_for_write(StoredTrace)
    if database == _MAIN:
        return True
    file = Path(connections[database].settings_dict["NAME"])
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with open(file.with_suffix(".lock"), "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            call_command("migrate", database=database, interactive=False, verbosity=0)
    except (OSError, DatabaseError) as error:
        logger.warning("the store of traces cannot be made, no trace is kept on this machine: %s", error)
        return False
    finally:
        connections[database].close()
    return True
