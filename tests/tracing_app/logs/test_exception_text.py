"""Texts of exceptions are for who runs a command, never in the log of requests."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable

import pytest

from tracing_app.logs.console_lines import ConsoleFormatter
from tracing_app.logs.exception_text import exception_text
from tracing_app.logs.json_lines import JsonFormatter

CAUSE, TEXT = "cannot read alice@example.org/cv.pdf", "PUT https://storage/alice@example.org/cv.pdf"


def failed(trace_id: str = "") -> logging.LogRecord:
    """A record of an exception with a cause, as of the thread that calls."""
    try:
        try:
            raise KeyError(CAUSE)
        except KeyError as cause:
            raise RuntimeError(TEXT) from cause
    except RuntimeError:
        record = logging.LogRecord("x", logging.ERROR, __file__, 1, "failed", (), sys.exc_info())
    record.trace_id = trace_id
    return record


def in_a_thread(make: Callable[[], logging.LogRecord]) -> logging.LogRecord:
    made: list[logging.LogRecord] = []
    thread = threading.Thread(target=lambda: made.append(make()))
    thread.start()
    thread.join()
    return made[0]


@pytest.mark.parametrize(
    "record", [in_a_thread(failed), failed("f" * 32)], ids=["another thread", "a request's trace"]
)
def test_while_requests_are_served_there_are_types_and_frames(record: logging.LogRecord) -> None:
    for line in (
        exception_text(record),
        ConsoleFormatter().format(record),
        JsonFormatter().format(record),
    ):
        assert "alice" not in line
        assert "KeyError" in line
        assert "RuntimeError" in line
        assert "in failed" in line


def test_a_command_and_a_start_tell_all() -> None:
    told = exception_text(failed())
    assert told.startswith("Traceback (most recent call last):")
    assert CAUSE in told
    assert told.endswith(f"RuntimeError: {TEXT}")


def test_without_an_exception_there_is_no_text() -> None:
    record = logging.LogRecord("x", logging.ERROR, __file__, 1, "failed", (), None)
    assert exception_text(record) == ""
