"""The span that is not recorded, but hands its context on to children and outgoing calls."""

from __future__ import annotations

from opentelemetry.trace import NonRecordingSpan, SpanContext

from .settings import RecordingSettings
from .span_context import context_below
from .trace_buffer import TraceBuffer


class DroppedSpan(NonRecordingSpan):
    """Dropped by the head sampler (``buffer`` is None), or by the limit of its trace.

    A child of it is dropped as well, under a span id of its own as the specification wants.
    """

    def __init__(
        self, context: SpanContext, settings: RecordingSettings, buffer: TraceBuffer | None = None
    ) -> None:
        super().__init__(context)
        self.settings = settings
        self.buffer = buffer
        if buffer is not None:
            buffer.dropped_spans += 1

    def child(self) -> DroppedSpan:
        """A span below this one."""
        context = context_below(self._context, self.settings.new_span_id())
        return DroppedSpan(context, self.settings, self.buffer)
