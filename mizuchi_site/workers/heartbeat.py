"""Tells the database every five seconds what this worker counted and how it is. No request waits for it."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable
from typing import Final

from django.db import DatabaseError, close_old_connections, connection
from django.utils import timezone

from uploads.statistics.recorder import RequestRecorder
from uploads.statistics.slots import prune_slots, write_slots
from uploads.worker import worker_name

from .report import current_report, remove_report, write_report
from .roll import prune_reports

logger = logging.getLogger("mizuchi_site.workers")

BEAT_SECONDS: Final = 5.0
STOP_SECONDS = 1.0
"""How long the end of the process waits for the last beat."""
_PRUNE_BEATS: Final = 12
_ADD_UP_SECONDS: Final = 1.0


class Heartbeat:
    """It fails open: a database that is away is told of in the log once, and what was counted waits.

    ``beats`` counts those that went well. ``beat`` is for one thread.
    """

    def __init__(self, recorder: RequestRecorder, *, look: Callable[[], None] | None = None) -> None:
        """``look`` is called with every beat: whoever else wants to know something of the database now and
        then. May raise DatabaseError."""
        self._recorder = recorder
        self._look = look
        self._started_at = timezone.now()
        self.beats = 0
        self._is_failing = False
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)

    def start(self) -> None:
        """Beat from a thread of its own until ``stop``."""
        self._thread.start()

    def stop(self) -> None:
        """Tell for a last time, say goodbye, end the thread; within ``STOP_SECONDS``."""
        self._ended.set()
        self.join(STOP_SECONDS)

    def join(self, seconds: float) -> None:
        """Wait for the thread to end, if it was started."""
        if self._thread.is_alive():
            self._thread.join(seconds)

    def beat(self) -> None:
        """Tell once."""
        try:
            write_slots(self._recorder, worker_name())
            write_report(current_report(self._recorder, self._started_at))
            if self._look is not None:
                self._look()
            if self.beats % _PRUNE_BEATS == 0:
                prune_slots(timezone.now())
                prune_reports()
            self.beats += 1
        except DatabaseError as error:
            self._fails(error)
            return
        if self._is_failing:
            self._is_failing = False
            logger.info("the database knows how this worker is again, and what was counted meanwhile")

    def _run(self) -> None:
        try:
            self._safely(self.beat)
            while self._waited():
                close_old_connections()
                self._safely(self.beat)
            self._say_goodbye()
        finally:
            connection.close()

    def _waited(self) -> bool:
        """For the next beat; False when it is the end instead. What was noted meanwhile is added up, so that
        it does not take its memory until then."""
        beat_at = time.monotonic() + seconds_to_next(time.time())
        while (left := beat_at - time.monotonic()) > 0:
            if self._ended.wait(min(left, _ADD_UP_SECONDS)):
                return False
            self._safely(self._recorder.add_up)
        return True

    def _safely(self, step: Callable[[], None]) -> None:
        try:
            step()
        except Exception:
            logger.exception("what this worker counted could not be told")

    def _say_goodbye(self) -> None:
        try:
            write_slots(self._recorder, worker_name())
            remove_report(worker_name())
        except DatabaseError as error:
            self._fails(error)

    def _fails(self, error: DatabaseError) -> None:
        connection.close()
        if not self._is_failing:
            self._is_failing = True
            logger.warning("the database is not told how this worker is, uploads go on: %s", error)


def seconds_to_next(now: float) -> float:
    """Beats come together with the ends of slots, a moment after them; workers not all at once."""
    return BEAT_SECONDS - now % BEAT_SECONDS + random.uniform(0.2, 0.7)  # noqa: S311 - not a secret
