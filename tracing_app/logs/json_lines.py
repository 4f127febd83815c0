"""Log records for programs: one JSON object on each line, in ASCII."""

from __future__ import annotations

import json
import logging
import time
from typing import Any

from .exception_text import exception_text
from .fields import extra_fields, plain_text
from .moments import Moments

_encode = json.JSONEncoder(ensure_ascii=True, allow_nan=False, separators=(",", ":")).encode


class JsonFormatter(logging.Formatter):
    """``timestamp`` (RFC 3339, UTC), ``level``, ``logger``, ``message``, ``trace_id``, ``span_id``, ``pid``,
    ``exception`` where there is one, then the fields of ``extra``, which replace none of the former."""

    def __init__(self) -> None:
        super().__init__()
        self._moment = Moments("%Y-%m-%dT%H:%M:%S", time.gmtime)

    def format(self, record: logging.LogRecord) -> str:
        fields: dict[str, Any] = {
            "timestamp": f"{self._moment(record.created)}.{int(record.msecs):03d}Z",
            "level": record.levelname,
            "logger": record.name,
            "message": plain_text(record.getMessage()),
            "trace_id": getattr(record, "trace_id", ""),
            "span_id": getattr(record, "span_id", ""),
            "pid": record.process,
        }
        if record.exc_info and record.exc_info[0]:
            kind = record.exc_info[0]
            fields["exception"] = {
                "type": kind.__qualname__,
                "stacktrace": plain_text(exception_text(record)),
            }
        for name, value in extra_fields(record).items():
            fields.setdefault(name, value)
        return _encode(fields)
