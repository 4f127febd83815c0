"""Log records for people: one line each, and lines that go on with it begin with a space."""

from __future__ import annotations

import logging
import re
import time

from .exception_text import exception_text
from .moments import Moments

_INDENT = "    "
_ENDS = "\r\n"
# C0 without tab, C1, DEL, Unicode's line and paragraph ends, marks that turn the direction of a line, and
# surrogates, which no encoding can write.
_UNSAFE = re.compile("[\0-\x08\n-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


class ConsoleFormatter(logging.Formatter):
    """``TIME LEVEL LOGGER [TRACE SPAN] MESSAGE``; ids only where there are any. Time is local.

    No text can forge a record or move a terminal's cursor: a new line of a message or traceback is indented,
    other control characters are escaped.
    """

    def __init__(self) -> None:
        super().__init__()
        self._moment = Moments("%Y-%m-%d %H:%M:%S", time.localtime)

    def format(self, record: logging.LogRecord) -> str:
        ids = _ids(getattr(record, "trace_id", ""), getattr(record, "span_id", ""))
        line = (
            f"{self._moment(record.created)},{int(record.msecs):03d} "
            f"{record.levelname} {record.name} {ids}{escaped(record.getMessage().rstrip(_ENDS))}"
        )
        if told := exception_text(record):
            line += f"\n{_INDENT}{escaped(told)}"
        if record.stack_info:
            line += f"\n{_INDENT}{escaped(self.formatStack(record.stack_info))}"
        return line


def escaped(text: str) -> str:
    """The text with its later lines indented and other control characters as Python escapes them."""
    return text if text.isprintable() else _UNSAFE.sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    character = match[0]
    return f"\n{_INDENT}" if character == "\n" else character.encode("unicode_escape").decode("ascii")


def _ids(trace_id: str, span_id: str) -> str:
    if not trace_id:
        return ""
    return f"[{trace_id} {span_id}] " if span_id else f"[{trace_id}] "
