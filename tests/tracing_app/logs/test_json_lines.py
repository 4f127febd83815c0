"""JSON: one object on each line, whatever is logged."""

from __future__ import annotations

import json
import logging
import os
from datetime import UTC, datetime
from typing import Any

import pytest
from django.http import HttpRequest
from opentelemetry.trace import use_span

from tests.tracing_app.logs.records import HOSTILE, raised, record_of
from tests.tracing_app.logs.test_trace_context import SPAN, TRACE_ID
from tracing_app.logs.json_lines import JsonFormatter


def refuse_constant(name: str) -> None:
    raise AssertionError(f"{name} is not JSON")


def parsed(record: logging.LogRecord) -> dict[str, Any]:
    line = JsonFormatter().format(record)
    assert line.isascii()
    assert line.isprintable()
    read: dict[str, Any] = json.loads(line, parse_constant=refuse_constant)
    return read


def test_what_a_record_says() -> None:
    with use_span(SPAN):
        record = record_of("%s %d", "PUT", 200, level=logging.WARNING, extra={"status": 200, "code": None})

    assert parsed(record) == {
        "timestamp": datetime.fromtimestamp(record.created, UTC).strftime("%Y-%m-%dT%H:%M:%S.")
        + f"{int(record.msecs):03d}Z",
        "level": "WARNING",
        "logger": "uploads.views",
        "message": "PUT 200",
        "trace_id": TRACE_ID,
        "span_id": "00000000000000ab",
        "pid": os.getpid(),
        "status": 200,
        "code": None,
    }


def test_outside_of_a_request_ids_are_empty() -> None:
    read = parsed(record_of("x"))
    assert (read["trace_id"], read["span_id"]) == ("", "")


def test_an_exception_has_its_type_and_traceback() -> None:
    told = parsed(record_of("failed", error=raised(ValueError("a fault"))))["exception"]

    assert told["type"] == "ValueError"
    assert told["stacktrace"].startswith("Traceback (most recent call last):\n")
    assert told["stacktrace"].endswith("ValueError: a fault")


def test_hostile_text_stays_inside() -> None:
    read = parsed(record_of("x %s", HOSTILE, extra={"key": HOSTILE, HOSTILE: 1}))

    assert read["message"] == "x " + HOSTILE.replace("\udc80", "\\udc80")
    assert read["key"] == HOSTILE.replace("\udc80", "\\udc80")


class Rude:
    def __str__(self) -> str:
        raise RuntimeError

    __repr__ = __str__


def deep(depth: int) -> Any:
    return [deep(depth - 1)] if depth else "end"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (True, True),
        (None, None),
        (1 << 70, 1 << 70),
        (1.5, 1.5),
        (float("nan"), "nan"),
        (float("inf"), "inf"),
        ((1, "a"), [1, "a"]),
        ({"a": [1], 5: 1}, {"a": [1]}),
        (Rude(), "<Rude>"),
        (HttpRequest(), "<HttpRequest>"),
        (b"bytes", "<bytes>"),
        (deep(9), [[[["<list>"]]]]),
        (list(range(1000)), list(range(64))),
    ],
    ids=lambda value: type(value).__name__,
)
def test_values_of_fields(value: object, shown: object) -> None:
    assert parsed(record_of("x", extra={"field": value}))["field"] == shown


@pytest.mark.parametrize("name", ["timestamp", "level", "logger", "trace_id", "pid"])
def test_no_field_stands_for_what_every_record_says(name: str) -> None:
    assert parsed(record_of("x", extra={name: "forged"}))[name] != "forged"
