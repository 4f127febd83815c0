"""What a log line tells of an exception: all of it to who runs a command, no texts while requests are served.

A text may hold whatever a client sent: keys, addresses, a person's name. Frames hold code only. Requests run
on threads of their own, so the main thread serves none: it starts a process, or runs a command.
"""

from __future__ import annotations

import logging
import traceback

from .exported_record import frames_of


def exception_text(record: logging.LogRecord) -> str:
    """The traceback of the record's exception, ``""`` without one."""
    if not record.exc_info or record.exc_info[1] is None:
        return ""
    error = record.exc_info[1]
    is_serving = record.threadName != "MainThread" or bool(getattr(record, "trace_id", ""))
    return (frames_of(error) if is_serving else "".join(traceback.format_exception(error))).rstrip("\n")
