"""How far a revision of the live settings has spread over the workers of all nodes."""

from __future__ import annotations

from dataclasses import dataclass

from mizuchi_site.workers.roll import roll_call
from tracing_app.live.effective import Effective


@dataclass(frozen=True, slots=True)
class Spread:
    """So many of the workers that trace sampled by the newest revision when they last told."""

    workers: int
    with_newest: int

    @property
    def is_everywhere(self) -> bool:
        return self.workers == self.with_newest


def spread_of(now: Effective) -> Spread:
    """By the workers' own reports, which are at most seconds old."""
    told = [
        worker.tracing["revision"]
        for worker in roll_call()
        if "revision" in worker.tracing and not worker.is_gone
    ]
    return Spread(len(told), sum(revision == now.number for revision in told))
