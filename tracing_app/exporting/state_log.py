"""One log line for each change of state of the export path, never one for each failure."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final, Literal

from .signal import TRACES, Signal

if TYPE_CHECKING:
    from .stats import DropReason

logger = logging.getLogger("mizuchi.tracing.export")

ExportState = Literal["healthy", "failing", "spooling", "losing", "rejecting"]

_RANKS: Final[dict[ExportState, int]] = {
    "healthy": 0,
    "failing": 1,
    "spooling": 2,
    "losing": 3,
    "rejecting": 4,
}
_LINES: Final[dict[ExportState, tuple[int, str]]] = {
    "failing": (logging.WARNING, "%(name)s export fails, retrying: %(reason)s"),
    "spooling": (logging.WARNING, "%(name)s export fails, %(plural)s are kept in the spool: %(reason)s"),
    "losing": (logging.ERROR, "%(name)s export fails, %(plural)s are lost: %(reason)s"),
    "rejecting": (logging.ERROR, "the collector refuses %(plural)s, they are lost: %(reason)s"),
}


class StateLog:
    """A state only gets worse until a success: failures of several kinds in turn are no changes."""

    def __init__(self, now: Callable[[], float], signal: Signal = TRACES) -> None:
        self._now = now
        self._signal = signal
        self.state: ExportState = "healthy"
        self.since = now()
        self._has_ended = False

    def worsen(self, state: ExportState, reason: str) -> None:
        """Enter a state unless the present one is as bad."""
        if _RANKS[state] <= _RANKS[self.state]:
            return
        self._enter(state)
        level, line = _LINES[state]
        words = {"name": self._signal.name, "plural": self._signal.plural, "reason": reason}
        logger.log(level, line, words)

    def recover(self) -> None:
        """A request was taken whole."""
        if self.state == "healthy":
            return
        seconds = self._now() - self.since
        was = self.state
        self._enter("healthy")
        logger.info("%s export has recovered, it was %s for %.0f s", self._signal.name, was, seconds)

    def end(self, lost: Mapping[DropReason, int]) -> None:
        """The process ends; ``lost`` are its traces by reason. Told once, and only when there are any."""
        if self._has_ended or not lost:
            return
        self._has_ended = True
        reasons = ", ".join(f"{reason} {count}" for reason, count in sorted(lost.items()))
        logger.warning(
            "%s export has ended: %d %s were lost (%s)",
            self._signal.name,
            sum(lost.values()),
            self._signal.plural,
            reasons,
        )

    def _enter(self, state: ExportState) -> None:
        self.state = state
        self.since = self._now()
