"""Records as loggers make them, for tests of what becomes of them."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Mapping
from typing import Any

from tracing_app.logs.trace_context import TraceContextFilter

# What a client might put into a header or key: the ends of lines of every kind, and what moves a cursor.
HOSTILE = "a\nb\r\nc\rd\x0be\x0cf\x1cg\x1dh\x1ei\x85j\u2028k\u2029l\x1b[2J\x08\x00\x7f\u202em\udc80n"


def record_of(
    message: object,
    *args: Any,
    name: str = "uploads.views",
    level: int = logging.INFO,
    error: BaseException | None = None,
    extra: Mapping[str, Any] | None = None,
) -> logging.LogRecord:
    """A record with its trace context."""
    exc_info = (type(error), error, error.__traceback__) if error else None
    record = logging.getLogger(name).makeRecord(
        name, level, __file__, 7, message, args, exc_info, func="record_of", extra=extra
    )
    TraceContextFilter().filter(record)
    return record


def raised(error: Exception) -> Exception:
    """The error with a traceback."""
    with contextlib.suppress(type(error)):
        raise error
    return error
