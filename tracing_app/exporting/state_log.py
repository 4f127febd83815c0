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

_MAX_LINES: Final = 10
_LINE_SECONDS: Final = 60.0

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
    """A state only gets worse until a success: failures of several kinds in turn are no changes.

    Of a path that changes again and again (a collector that limits the rate, say) not every change is told:
    ``_MAX_LINES`` on end, then one in ``_LINE_SECONDS``, always of the state as it is then.
    """

    def __init__(self, now: Callable[[], float], signal: Signal = TRACES) -> None:
        self._now = now
        self._signal = signal
        self.state: ExportState = "healthy"
        self.since = now()
        self._told: ExportState = "healthy"
        self._told_since = self.since
        self._lines_left = float(_MAX_LINES)
        self._lines_counted_at = self.since
        self._surprises: set[type[Exception]] = set()
        self._has_ended = False

    def worsen(self, state: ExportState, reason: str) -> None:
        """Enter a state unless the present one is as bad."""
        if _RANKS[state] > _RANKS[self.state]:
            self._enter(state)
        if self._told != self.state and self._may_tell():
            level, line = _LINES[self.state]
            words = {"name": self._signal.name, "plural": self._signal.plural, "reason": reason}
            self._tell(level, line % words)

    def recover(self) -> None:
        """A request was taken whole."""
        if self.state != "healthy":
            self._enter("healthy")
        if self._told != "healthy" and self._may_tell():
            seconds = self._now() - self._told_since
            line = f"{self._signal.name} export has recovered, it was {self._told} for {seconds:.0f} s"
            self._tell(logging.INFO, line)

    def surprise(self, what: str, error: Exception) -> None:
        """Log the exception that is being handled, the first of its type."""
        if type(error) not in self._surprises:
            self._surprises.add(type(error))
            logger.exception("%s; the next %s will not be told", what, type(error).__name__)

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

    def _may_tell(self) -> bool:
        now = self._now()
        earned = max(now - self._lines_counted_at, 0.0) / _LINE_SECONDS
        self._lines_left = min(self._lines_left + earned, _MAX_LINES)
        self._lines_counted_at = now
        return self._lines_left >= 1

    def _tell(self, level: int, line: str) -> None:
        self._lines_left -= 1
        if self._lines_left < 1:
            line += f" (it changes often: told at most every {_LINE_SECONDS:.0f} s from now on)"
        logger.log(level, "%s", line)
        self._told, self._told_since = self.state, self.since
