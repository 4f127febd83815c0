"""One line of the log for each request of the S3 API, as text and as fields."""

from __future__ import annotations

import logging
import os
import threading
import time
from typing import Any, Final

_logger = logging.getLogger("mizuchi.access")
_MESSAGE: Final = "%s %s %s %s %.1f ms"
_SAMPLE: Final = _logger.makeRecord(
    _logger.name, logging.INFO, __file__, 0, _MESSAGE, (), None, "log_request"
).__dict__
_BEGAN: Final = _SAMPLE["created"] - _SAMPLE["relativeCreated"] / 1e3


def log_request(
    method: str,
    operation: str | None,
    status: int,
    code: str | None,
    *,
    duration_ms: float,
    received_bytes: int | None,
) -> None:
    """``code`` is S3's of an error; ``received_bytes`` are those of the body.

    A record is made of one that was made before: the logger would look through the stack for the line that
    called it and ask for much that never changes, which takes it longer than to write the line.
    """
    if not _logger.isEnabledFor(logging.INFO):
        return
    created = time.time()
    record: logging.LogRecord = logging.LogRecord.__new__(logging.LogRecord)
    fields: dict[str, Any] = record.__dict__
    fields |= _SAMPLE
    fields |= {
        "args": (method, operation or "-", status, code or "-", duration_ms),
        "created": created,
        "msecs": int(created % 1 * 1000) + 0.0,
        "relativeCreated": (created - _BEGAN) * 1e3,
        "process": os.getpid(),
        "thread": threading.get_ident(),
        "threadName": threading.current_thread().name,
        "method": method,
        "operation": operation,
        "status": status,
        "code": code,
        "duration_ms": round(duration_ms, 1),
        "bytes": received_bytes,
    }
    _logger.handle(record)
