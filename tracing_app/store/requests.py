"""Stored requests without their spans: those of one trace, and the points of a plot."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime

from .models import Outcome, StoredTrace, outcome_of
from .search import TraceQuery, find_traces


@dataclass(frozen=True, slots=True)
class LatencyPoint:
    """One request in a plot of durations over time; ``id`` is that of its ``StoredTrace``."""

    id: int
    trace_id: str
    started_at: datetime
    duration_ms: float
    name: str
    operation: str
    bucket: str
    status: int | None
    error: str
    is_error: bool

    @property
    def outcome(self) -> Outcome:
        """How the request ended."""
        return outcome_of(self.is_error, self.error, self.status)


_COLUMNS = tuple(field.name for field in fields(LatencyPoint))


def latency_points(query: TraceQuery, *, newest: int) -> list[LatencyPoint]:
    """The newest requests that match."""
    rows = find_traces(query).values_list(*_COLUMNS)[:newest]
    return [LatencyPoint(*row) for row in rows]


def requests_of(trace_id: str) -> list[StoredTrace]:
    """The requests of a trace in the order of time; a multipart upload has many."""
    return list(find_traces(TraceQuery(trace_id=trace_id)).reverse())
