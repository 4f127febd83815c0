"""The spans of one trace below a common local root, kept together until that root ends.

A local root is a span whose parent is remote or none. Its children find the buffer through the parent
span in the context, so there is no table of traces.

There is no lock: a span may be ended by a finalizer or a signal handler that interrupts the end of
another span of the same trace on the same thread, which would wait for itself. What must not be interrupted
is written without a call and without a loop, between which the interpreter changes threads. The counts that
only bound memory may be off by a few when threads race.
"""

from __future__ import annotations

from .data import SpanData, TraceData, trace_data
from .settings import RecordingSettings


class TraceBuffer:
    """``spans_left`` and ``events_left`` may still be recorded; ``dropped_spans`` were not.

    The room for a span is taken at its start, so that parents come before children.
    """

    __slots__ = (
        "_is_closed",
        "_spans",
        "clock",
        "dropped_spans",
        "events_left",
        "max_attributes",
        "max_events",
        "max_length",
        "settings",
        "spans_left",
        "trace_id",
    )

    def __init__(self, settings: RecordingSettings, trace_id: int) -> None:
        self.settings = settings
        self.clock = settings.clock
        self.trace_id = trace_id
        self.dropped_spans = 0
        limits = settings.limits
        self.max_length = limits.max_attribute_length
        self.max_attributes = limits.max_span_attributes
        self.max_events = limits.max_events
        self.events_left = limits.max_trace_events
        self.spans_left = limits.max_trace_spans - 1
        self._spans: list[SpanData] = []
        self._is_closed = False

    def keep(self, span: SpanData) -> None:
        """Take a span that has ended and is not the local root."""
        self._spans.append(span)
        if self._is_closed:
            self._offer_late(span)

    def _offer_late(self, span: SpanData) -> None:
        try:
            self._spans.remove(span)
        except ValueError:
            return  # the local root ended meanwhile, in another thread, and took it along
        self.settings.sink.offer(TraceData(self.trace_id, (span,), is_late=True))

    def close(self, local_root: SpanData) -> None:
        """Hand over what has ended by now, the local root last."""
        # Closed first, then taken at once: who ends a span after that finds it in the other list.
        self._is_closed = True
        spans, self._spans = self._spans, []
        spans.append(local_root)
        self.settings.sink.offer(trace_data((self.trace_id, spans, False)))
