"""Every record says which request and which span it belongs to."""

from __future__ import annotations

import logging
import threading

import pytest
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, use_span

from tests.tracing_app.logs.records import record_of
from tracing_app.api import trace
from tracing_app.logs.trace_context import TraceContextFilter

TRACE_ID = "0af7651916cd43dd8448eb211c80319c"
SPAN = NonRecordingSpan(SpanContext(int(TRACE_ID, 16), 0xAB, False, TraceFlags(1)))


def ids(record: logging.LogRecord) -> tuple[str, str, int]:
    return record.trace_id, record.span_id, record.trace_flags  # type: ignore[attr-defined]


def test_in_a_span() -> None:
    with trace("f" * 32), use_span(SPAN):
        assert ids(record_of("x")) == (TRACE_ID, "00000000000000ab", 1)


def test_in_a_request_without_tracing() -> None:
    with trace("f" * 32):
        assert ids(record_of("x")) == ("f" * 32, "", 0)


def test_outside_of_a_request() -> None:
    assert ids(record_of("x")) == ("", "", 0)


def test_what_one_handler_found_out_another_does_not_change() -> None:
    with use_span(SPAN):
        record = record_of("x")

    assert TraceContextFilter().filter(record)
    assert ids(record)[0] == TRACE_ID


@pytest.mark.parametrize("name", ["uploads.views", "django.request", "botocore", "root"])
def test_records_of_every_logger_have_it_at_a_handler(name: str) -> None:
    seen: list[logging.LogRecord] = []

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            seen.append(record)

    handler = Handler()
    handler.addFilter(TraceContextFilter())
    root, logger = logging.getLogger(), logging.getLogger(name)
    root.addHandler(handler)
    try:
        with use_span(SPAN):
            logger.error("x")
        thread = threading.Thread(target=logger.error, args=("y",))
        thread.start()
        thread.join()
    finally:
        root.removeHandler(handler)
    assert [ids(record)[0] for record in seen] == [TRACE_ID, ""]
