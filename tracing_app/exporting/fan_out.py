"""Several places that a trace goes to."""

from __future__ import annotations

from collections.abc import Sequence

from tracing_app.recording.data import TraceData, TraceSink


class FanOut:
    """A ``TraceSink`` that offers to each of ``sinks``."""

    def __init__(self, sinks: Sequence[TraceSink]) -> None:
        self._sinks = tuple(sinks)

    def offer(self, trace: TraceData) -> None:
        for sink in self._sinks:
            sink.offer(trace)
