"""Writes rows into a table that remembers the latest, without a request waiting for it.

One thread of the process writes what was added, in batches, and keeps the table within bounds; what comes
faster than it writes is lost.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Generic, TypeVar

from django.db import DatabaseError, connection
from django.db.models import Max, Model

logger = logging.getLogger(__name__)

Row = TypeVar("Row", bound=Model)

_WAITING = 1000
_BATCH_SECONDS = 1.0
_CLOSING_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Kept:
    """The newest ``rows``, none older than ``age`` by the field ``since``."""

    rows: int
    age: timedelta
    since: str


class BatchWriter(Generic[Row]):
    """Thread-safe. The thread begins with the first row and ends with ``close``."""

    def __init__(self, model: type[Row], kept: Kept, clock: Callable[[], float] = time.time) -> None:
        self._model = model
        self._kept = kept
        self._clock = clock
        self._waiting: deque[Row] = deque(maxlen=_WAITING)
        self._is_closing = threading.Event()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def add(self, row: Row) -> None:
        """Have a new row written soon."""
        self._waiting.append(row)
        self._begin()

    def close(self) -> None:
        """Write what waits; within two seconds."""
        self._is_closing.set()
        if self._thread is not None:
            self._thread.join(_CLOSING_SECONDS)

    def _begin(self) -> None:
        if self._thread is None:
            with self._lock:
                if self._thread is None:
                    name = f"writes {self._model._meta.verbose_name_plural}"
                    self._thread = threading.Thread(target=self._write, name=name, daemon=True)
                    self._thread.start()

    def _write(self) -> None:
        try:
            while not self._is_closing.wait(_BATCH_SECONDS):
                self.flush()
            self.flush()
        finally:
            connection.close()

    def flush(self) -> None:
        """Write what waits now. A database that is away, or takes a row amiss, loses a batch and no more."""
        rows = [self._waiting.popleft() for _ in range(len(self._waiting))]
        if not rows:
            return
        try:
            self._model._default_manager.bulk_create(rows)
            self._prune()
        except (DatabaseError, ValueError) as error:
            name = self._model._meta.verbose_name_plural
            logger.warning("%d %s could not be recorded: %s", len(rows), name, error)
            connection.close()

    def _prune(self) -> None:
        table, kept = self._model._default_manager, self._kept
        newest = table.aggregate(newest=Max("pk"))["newest"] or 0
        table.filter(pk__lte=newest - kept.rows).delete()
        oldest = datetime.fromtimestamp(self._clock(), UTC) - kept.age
        table.filter(**{f"{kept.since}__lt": oldest}).delete()
