"""Says of every record which request and span it belongs to."""

from __future__ import annotations

import logging

from opentelemetry.trace import get_current_span

from tracing_app.api import trace_id


class TraceContextFilter(logging.Filter):
    """Lets all records pass, with ``trace_id`` (32 hex digits), ``span_id`` (16) and ``trace_flags`` set.

    Both ids are ``""`` outside of a request; without tracing a request has a trace id and no span. It is for
    handlers: a logger's filter sees only what is logged on itself. Several handlers share the work.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        fields = record.__dict__
        if "trace_flags" not in fields:
            context = get_current_span().get_span_context()
            if context.is_valid:
                fields["trace_id"] = f"{context.trace_id:032x}"
                fields["span_id"] = f"{context.span_id:016x}"
                fields["trace_flags"] = int(context.trace_flags)
            else:
                fields["trace_id"] = trace_id()
                fields["span_id"] = ""
                fields["trace_flags"] = 0
        return True
