"""A thread that leaves this worker's numbers on the board, every second and at the end."""

from __future__ import annotations

import logging
import threading
from typing import Final

from .meter import Meter

logger = logging.getLogger(__name__)

PUBLISH_SECONDS: Final = 1.0
"""What requests noted takes up to a KiB of each until it is added up; to publish takes a millisecond."""


class Publisher:
    """Whatever fails is logged, once as long as it goes on: no request hears of it."""

    def __init__(self, meter: Meter, *, every_seconds: float = PUBLISH_SECONDS) -> None:
        self._meter = meter
        self._every_seconds = every_seconds
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
        while not self._ended.wait(self._every_seconds):
            self._publish()

    def _publish(self) -> None:
        try:
            self._meter.publish()
            self._is_failing = False
        except Exception:
            if not self._is_failing:
                logger.exception("the numbers of this worker cannot be shown")
            self._is_failing = True
