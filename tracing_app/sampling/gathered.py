"""Traces that have ended, some together on their way to the sampler.

To judge and to encode a trace is little work, but takes most of its time to get the code for it back into the
processor's caches after a request. For many in a row that is done once.
"""

from __future__ import annotations

import threading
from collections import deque

from tracing_app.recording.data import TraceData, TraceSink

MANY = 32
"""So many at once; they take about a quarter of a millisecond."""
PERIOD_SECONDS = 0.2
"""Fewer wait so long at most."""

_BIG = 64  # spans of a trace that is not worth waiting with


class Gathered:
    """A ``TraceSink`` before another. They are handed on by the thread that brings the last of ``MANY``, or
    by one of its own."""

    def __init__(self, sink: TraceSink) -> None:
        self._sink = sink
        self._waiting: deque[TraceData] = deque()
        self._ended = threading.Event()

    def offer(self, trace: TraceData) -> None:
        """Take it in; see ``TraceSink``."""
        waiting = self._waiting
        waiting.append(trace)
        if len(waiting) >= MANY or len(trace.spans) > _BIG:
            self.settle()

    def start(self) -> None:
        """Hand on few, too, from now on."""
        threading.Thread(target=self._run, name="mizuchi-tracing-gathered", daemon=True).start()

    def stop(self) -> None:
        """Hand on all that are left."""
        self._ended.set()
        self.settle()

    def settle(self) -> None:
        """Hand on those that wait now. Several threads may do so at once."""
        for _ in range(len(self._waiting)):
            try:
                trace = self._waiting.popleft()
            except IndexError:
                return
            self._sink.offer(trace)

    def _run(self) -> None:
        while not self._ended.wait(PERIOD_SECONDS):
            self.settle()
