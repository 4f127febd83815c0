"""What workers and nodes tell each other through the database: live settings, and uploads to be kept whole.

One thread asks every other second; no request waits for it, and none asks the database for it.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from django.db import DatabaseError, close_old_connections
from django.utils import timezone

from tracing_app.models import KeptUpload, TracingRevision

logger = logging.getLogger("mizuchi.tracing.live")

SECONDS = 2.0
MAX_UPLOADS_TO_TELL = 10_000
_ALL_HAVE_TOLD_SECONDS = 3 * SECONDS
_OVERLAP = timedelta(seconds=30)
_REMEMBERED = timedelta(days=1)
_PRUNE_SECONDS = 3600.0


class Exchange:
    """``to_tell`` are trace ids of uploads that are kept here, put there by requests. ``apply`` is given the
    newest revision and its overrides whenever there is another, ``keep`` the trace id of an upload that
    another process keeps, ``forget_before`` a moment of the monotonic clock: of uploads that ended before it
    all have told."""

    def __init__(
        self,
        *,
        to_tell: deque[int],
        apply: Callable[[int, Mapping[str, Any]], None],
        keep: Callable[[int], None],
        forget_before: Callable[[float], None],
    ) -> None:
        self._apply = apply
        self._keep = keep
        self._forget_before = forget_before
        self._to_tell = to_tell
        self._revision = 0
        self._read_from = timezone.now() - _REMEMBERED
        self._prune_at = time.monotonic() + _PRUNE_SECONDS
        self._is_failing = False
        self._ended = threading.Event()

    def start(self) -> None:
        """Learn what is in force, then go on in a thread."""
        self.run_once()
        threading.Thread(target=self._run, name="mizuchi-tracing-exchange", daemon=True).start()

    def stop(self) -> None:
        self._ended.set()

    def run_once(self) -> None:
        """Tell and ask once. A database that is away is told once; what was to be told waits."""
        try:
            self._tell_kept()
            self._ask_kept()
            self._ask_settings()
            self._prune()
        except DatabaseError as error:
            if not self._is_failing:
                logger.warning("tracing settings cannot be read, those in force stay: %s", error)
            self._is_failing = True
            return
        if self._is_failing:
            logger.info("tracing settings can be read again")
        self._is_failing = False
        self._forget_before(time.monotonic() - _ALL_HAVE_TOLD_SECONDS)

    def _run(self) -> None:
        while not self._ended.wait(SECONDS):
            close_old_connections()
            try:
                self.run_once()
            except Exception:
                logger.exception("the exchange about tracing failed")

    def _tell_kept(self) -> None:
        waiting = list(self._to_tell)
        if not waiting:
            return
        rows = [KeptUpload(trace_id=f"{trace_id:032x}") for trace_id in dict.fromkeys(waiting)]
        KeptUpload.objects.bulk_create(rows, ignore_conflicts=True)
        for _ in waiting:
            self._to_tell.popleft()

    def _ask_kept(self) -> None:
        now = timezone.now()
        told = KeptUpload.objects.filter(kept_at__gte=self._read_from)
        for trace_id in told.values_list("trace_id", flat=True):
            self._keep(int(trace_id, 16))
        # Rows of a slow transaction appear later than their time.
        self._read_from = now - _OVERLAP

    def _ask_settings(self) -> None:
        newest = TracingRevision.objects.first()
        if newest is not None and newest.pk != self._revision:
            self._revision = newest.pk
            self._apply(newest.pk, newest.overrides)

    def _prune(self) -> None:
        if time.monotonic() >= self._prune_at:
            self._prune_at = time.monotonic() + _PRUNE_SECONDS
            KeptUpload.objects.filter(kept_at__lt=timezone.now() - _REMEMBERED).delete()
