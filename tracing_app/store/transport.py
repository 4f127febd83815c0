"""The local store as a place that traces are exported to, in the stead of a collector."""

from __future__ import annotations

import logging
import time
from datetime import timedelta

from django.db import (
    DataError,
    IntegrityError,
    InterfaceError,
    OperationalError,
    connections,
    router,
    transaction,
)
from django.utils import timezone
from google.protobuf.message import DecodeError

from tracing_app.exporting.transport import Accepted, Outcome, Permanent, Retryable

from .models import StoredTrace
from .rows import stored_traces

logger = logging.getLogger("mizuchi.tracing.store")

_PRUNE_SECONDS = 30.0
_PRUNED_AT_ONCE = 500


class StoreTransport:
    """Saves traces and keeps to ``max_traces`` of at most ``max_age_hours``. For one thread."""

    def __init__(self, *, max_traces: int, max_age_hours: float) -> None:
        self._max_traces = max_traces
        self._max_age = timedelta(hours=max_age_hours)
        self._prune_at = 0.0

    def send(self, payload: bytes, deadline_seconds: float) -> Outcome:
        """Save the traces of the request; see ``Transport``."""
        try:
            rows = stored_traces(payload)
        except DecodeError:
            return Permanent("not an ExportTraceServiceRequest")
        database = router.db_for_write(StoredTrace)
        try:
            with transaction.atomic(using=database):
                StoredTrace.objects.using(database).bulk_create(rows)
            if time.monotonic() >= self._prune_at:
                self._prune_at = time.monotonic() + _PRUNE_SECONDS
                prune(self._max_traces, self._max_age)
        except (OperationalError, InterfaceError) as error:
            connections[database].close()
            return Retryable(f"the store of traces cannot be written: {error}")
        except (DataError, IntegrityError) as error:
            return Permanent(f"the store of traces refuses: {error}")
        return Accepted()

    def close(self) -> None:
        """Let go of this thread's connection."""
        connections[router.db_for_write(StoredTrace)].close()


def prune(max_traces: int, max_age: timedelta) -> int:
    """Remove what is too old or too much, in small steps so that nobody waits long. How many went."""
    database = router.db_for_write(StoredTrace)
    stored = StoredTrace.objects.using(database)
    cutoff = timezone.now() - max_age
    newest = stored.order_by("-id").values_list("id", flat=True)
    last_beyond = next(iter(newest[max_traces : max_traces + 1]), 0)
    removed = 0
    while True:
        batch = list(stored.order_by("id").values_list("id", "started_at")[:_PRUNED_AT_ONCE])
        gone = [number for number, began in batch if began < cutoff or number <= last_beyond]
        if not gone:
            return removed
        stored.filter(id__in=gone).delete()
        removed += len(gone)
        if len(gone) < len(batch):
            return removed
