"""The local store as a place that traces are exported to, in the stead of a collector."""

from __future__ import annotations

import logging
import time
from datetime import timedelta

from django.db import (
    DatabaseError,
    DataError,
    IntegrityError,
    InterfaceError,
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
_PRUNE_SHARE = 20
_PRUNED_AT_ONCE = 500


class StoreTransport:
    """Saves traces and keeps to ``max_traces`` of at most ``max_age_hours``. For one thread.

    It removes what is beyond every half minute while it saves, and before it has added a twentieth of
    ``max_traces``: so far several processes together may exceed the number for a moment.
    """

    def __init__(self, *, max_traces: int, max_age_hours: float) -> None:
        self._max_traces = max_traces
        self._max_age = timedelta(hours=max_age_hours)
        self._prune_at = 0.0
        self._saved_since = 0

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
        except (DataError, IntegrityError) as error:
            return Permanent(f"the store of traces refuses: {error}")
        except (DatabaseError, InterfaceError) as error:
            connections[database].close()
            return Retryable(f"the store of traces cannot be written: {error}")
        self._saved_since += len(rows)
        self._prune_when_due(database)
        return Accepted()

    def _prune_when_due(self, database: str) -> None:
        """A failure here is no failure to save, after which the same traces would be sent again."""
        if time.monotonic() < self._prune_at and self._saved_since * _PRUNE_SHARE < self._max_traces:
            return
        self._prune_at, self._saved_since = time.monotonic() + _PRUNE_SECONDS, 0
        try:
            prune(self._max_traces, self._max_age)
        except (DatabaseError, InterfaceError) as error:
            connections[database].close()
            logger.warning("what is too old or too much cannot be removed from the store now: %s", error)

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
