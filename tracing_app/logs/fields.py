"""The fields that a caller gave a record by ``extra``, as values that any format can hold."""

from __future__ import annotations

import logging
import math
from itertools import islice
from typing import Any, Final

# What is on every record, on formatted ones, and what Python 3.12 and the trace context add.
_STANDARD: Final = frozenset(
    {*logging.makeLogRecord({}).__dict__, "message", "asctime", "taskName"}
    | {"trace_id", "span_id", "trace_flags"}
)
_MAX_ITEMS, _MAX_DEPTH = 64, 4


def extra_fields(record: logging.LogRecord) -> dict[str, Any]:
    """Name and plain value of each."""
    given = record.__dict__
    if given.keys() <= _STANDARD:
        return {}
    return {name: _plain(value) for name, value in given.items() if name not in _STANDARD}


def plain_text(text: str) -> str:
    """The text; what UTF-8 has no bytes for (a lone surrogate) as Python escapes it."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "backslashreplace").decode()
    return text


def _plain(value: object, depth: int = 0) -> Any:
    """Text, numbers, flags and None as they are, collections within bounds, of anything else the type.

    A foreign ``__str__`` may raise, query a database or tell who somebody is: Django passes whole requests.
    """
    if isinstance(value, str):
        return plain_text(value)
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if depth < _MAX_DEPTH and isinstance(value, list | tuple):
        return [_plain(item, depth + 1) for item in islice(value, _MAX_ITEMS)]
    if depth < _MAX_DEPTH and isinstance(value, dict):
        items = islice(value.items(), _MAX_ITEMS)
        return {plain_text(key): _plain(item, depth + 1) for key, item in items if isinstance(key, str)}
    return f"<{type(value).__name__}>"
