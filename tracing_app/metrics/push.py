"""Sends the numbers of this node to a collector, every so often and at the end."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import Final

from tracing_app.exporting.transport import Accepted, Outcome, Transport

from .families import Counter, Label, declared_families
from .meter import Meter
from .otlp import encode_total

logger = logging.getLogger("mizuchi.tracing.metrics")

LAST_SECONDS: Final = 1.0
"""How long the end of the process waits for the last of them."""

PUSHES = Counter(
    "mizuchi_metrics_pushes",
    "Times that metrics were sent to the collector, and whether it took them.",
    otlp="mizuchi.metrics.pushes",
    labels=(Label("outcome", "mizuchi.outcome"),),
)


class MetricsPush:
    """One that fails is not tried again: the next carries all of it. What changes is logged, once."""

    def __init__(
        self,
        meter: Meter,
        transport: Transport,
        resource: Mapping[str, object],
        *,
        every_seconds: float,
        timeout_seconds: float,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self._meter = meter
        self._transport = transport
        self._resource = resource
        self._every_seconds = every_seconds
        self._timeout_seconds = timeout_seconds
        self._wall_clock = wall_clock
        self._fails_with = ""
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="mizuchi-metrics-export", daemon=True)

    def start(self) -> None:
        """Send from now on, first when the time between two has passed."""
        self._thread.start()

    def stop(self) -> None:
        """Send for a last time, unless the last try failed; within ``LAST_SECONDS``."""
        self._ended.set()
        self._thread.join(LAST_SECONDS)

    def push(self, timeout_seconds: float) -> None:
        """Send once."""
        text = encode_total(
            self._meter.total(), declared_families().values(), self._resource, now=self._wall_clock()
        )
        outcome = self._transport.send(text, timeout_seconds)
        PUSHES.add(("success" if isinstance(outcome, Accepted) else "failure",))
        self._tell(_trouble(outcome))

    def _run(self) -> None:
        try:
            while not self._ended.wait(self._every_seconds):
                self._try(self._timeout_seconds)
            if not self._fails_with:
                self._try(LAST_SECONDS)
        finally:
            self._transport.close()

    def _try(self, timeout_seconds: float) -> None:
        try:
            self.push(timeout_seconds)
        except Exception:
            logger.exception("metrics cannot be sent")

    def _tell(self, trouble: str) -> None:
        if trouble and not self._fails_with:
            logger.warning("metrics export fails, the next try carries all of it: %s", trouble)
        elif self._fails_with and not trouble:
            logger.info("metrics export works again")
        self._fails_with = trouble


def _trouble(outcome: Outcome) -> str:
    """What is wrong; "" when nothing is."""
    if not isinstance(outcome, Accepted):
        return outcome.reason
    rejected = outcome.rejected_spans
    return f"{rejected} data points were refused: {outcome.message}" if rejected else ""
