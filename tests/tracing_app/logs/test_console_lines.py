"""The console: compact, readable, and nothing that a client says can look like a record."""

from __future__ import annotations

import re

import pytest
from opentelemetry.trace import use_span

from tests.tracing_app.logs.records import HOSTILE, raised, record_of
from tests.tracing_app.logs.test_trace_context import SPAN, TRACE_ID
from tracing_app.api import trace
from tracing_app.logs.console_lines import ConsoleFormatter, escaped

BEGIN = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} INFO uploads\.views "


def line(*args: object, **kwargs: object) -> str:
    return ConsoleFormatter().format(record_of(*args, **kwargs))  # type: ignore[arg-type]


def test_ids_are_there_where_there_are_any() -> None:
    assert re.fullmatch(BEGIN + "PUT 200", line("%s %d", "PUT", 200))
    with trace("f" * 32):
        assert re.fullmatch(BEGIN + rf"\[{'f' * 32}\] PUT", line("PUT"))
    with use_span(SPAN):
        assert re.fullmatch(BEGIN + rf"\[{TRACE_ID} 00000000000000ab\] PUT", line("PUT"))


def test_the_time_of_another_second_is_another() -> None:
    formatter, record = ConsoleFormatter(), record_of("x")
    first = formatter.format(record)
    record.created += 1

    assert formatter.format(record)[:19] != first[:19]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("as it is: \u00e9 \u65e5\u672c \U0001f30a\ttab", "as it is: \u00e9 \u65e5\u672c \U0001f30a\ttab"),
        ("two\nlines", "two\n    lines"),
        ("\r\n", "\\r\n    "),
        ("\x1b[31m\x07\x9b", "\\x1b[31m\\x07\\x9b"),
        ("\u2028\u2029\x85", "\\u2028\\u2029\\x85"),
        ("\u202egnp.\u2066", "\\u202egnp.\\u2066"),
        ("\udcff", "\\udcff"),
    ],
    ids=["plain", "newline", "crlf", "terminal", "separators", "direction", "surrogate"],
)
def test_control_characters_are_escaped(text: str, shown: str) -> None:
    assert escaped(text) == shown


def assert_one_record(text: str) -> None:
    first, *later = text.splitlines()
    assert re.match(BEGIN, first)
    assert all(each.startswith("    ") for each in later)
    text.encode()
    assert not set(text) & set("\r\x0b\x0c\x1b\x08\0\u202e")


def test_no_text_of_a_client_begins_a_line() -> None:
    forged = "\n2026-01-01 00:00:00,000 INFO mizuchi.access PUT PutObject 200"

    assert_one_record(line("refused: %s", HOSTILE + forged))
    assert_one_record(line(HOSTILE + forged))
    assert_one_record(line("failed", error=raised(ValueError(HOSTILE + forged))))


def test_the_end_of_a_message_is_the_end_of_the_line() -> None:
    assert line("x\r\n").endswith(" x")


def test_a_traceback_stays_readable() -> None:
    text = line("failed", error=raised(ValueError("a fault")))

    lines = text.splitlines()
    assert lines[1] == "    Traceback (most recent call last):"
    assert re.fullmatch(r'      File ".*records\.py", line \d+, in raised', lines[2])
    assert lines[-1] == "    ValueError: a fault"
