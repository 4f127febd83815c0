"""A thread that leaves this worker's numbers on the board, every few seconds and at the end."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Final

from .meter import Meter

logger = logging.getLogger(__name__)

PUBLISH_SECONDS: Final = 5.0
LOOK_SECONDS: Final = 1.0


class Publisher:
    """Whatever fails is logged, once as long as it goes on: no request hears of it."""

    def __init__(
        self,
        meter: Meter,
        *,
        every_seconds: float = PUBLISH_SECONDS,
        is_due: Callable[[], bool] = lambda: False,
    ) -> None:
        """``is_due``, asked every ``LOOK_SECONDS``, says that it must be sooner: what requests noted takes
        memory until it is added up, up to a KiB of each."""
        self._meter = meter
        self._every_seconds = every_seconds
        self._is_due = is_due
        self._is_failing = False
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="metrics", daemon=True)

    def start(self) -> None:
        """Publish now and from now on."""
        self._publish()
        self._thread.start()

    def stop(self) -> None:
        """Publish for a last time."""
        self._ended.set()
        self._publish()

    def _run(self) -> None:
        while self._waited():
            self._publish()

    def _waited(self) -> bool:
        """Until it is time to publish; False when it is the end instead."""
        publish_at = time.monotonic() + self._every_seconds
        while (left := publish_at - time.monotonic()) > 0:
            if self._ended.wait(min(left, LOOK_SECONDS)):
                return False
            if self._is_due():
                break
        return True

    def _publish(self) -> None:
        try:
            self._meter.publish()
            self._is_failing = False
        except Exception:
            if not self._is_failing:
                logger.exception("the numbers of this worker cannot be shown")
            self._is_failing = True
