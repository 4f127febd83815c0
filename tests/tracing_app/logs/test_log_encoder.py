"""What an OTLP receiver reads of log entries."""

from __future__ import annotations

import logging

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.sdk.resources import Resource

from tracing_app.logs.exported_record import LogEntry
from tracing_app.logs.log_encoder import LogEncoder, severity_number

ENTRY = LogEntry(
    time_ns=1_700_000_000_000_000_001,
    level=logging.WARNING,
    level_name="WARNING",
    logger="mizuchi.access",
    text="PUT 200 \udc80",
    attributes={"http.response.status_code": 200, "mizuchi.duration_ms": 1.5, "x": "y", "flag": True},
    trace_id="0af7651916cd43dd8448eb211c80319c",
    span_id="00000000000000ab",
    trace_flags=1,
)


def decoded(*entries: LogEntry) -> ExportLogsServiceRequest:
    encoder = LogEncoder(Resource({"service.name": "edge", "process.pid": 7}))
    return ExportLogsServiceRequest.FromString(encoder.encode(entries))


def test_a_record_with_its_context() -> None:
    (resource,) = decoded(ENTRY).resource_logs
    (scope,) = resource.scope_logs
    (record,) = scope.log_records

    assert {each.key: each.value for each in resource.resource.attributes} == {
        "service.name": AnyValue(string_value="edge"),
        "process.pid": AnyValue(int_value=7),
    }
    assert scope.scope.name == "mizuchi.access"
    assert record.time_unix_nano == record.observed_time_unix_nano == ENTRY.time_ns
    assert (record.severity_number, record.severity_text) == (13, "WARNING")
    assert record.body == AnyValue(string_value="PUT 200 ?")
    assert list(record.attributes) == [
        KeyValue(key="http.response.status_code", value=AnyValue(int_value=200)),
        KeyValue(key="mizuchi.duration_ms", value=AnyValue(double_value=1.5)),
        KeyValue(key="x", value=AnyValue(string_value="y")),
        KeyValue(key="flag", value=AnyValue(bool_value=True)),
    ]
    assert record.trace_id.hex() == ENTRY.trace_id
    assert record.span_id.hex() == ENTRY.span_id
    assert record.flags == 1


def test_outside_of_a_request_there_are_no_ids() -> None:
    (resource,) = decoded(ENTRY._replace(trace_id="", span_id="", trace_flags=0)).resource_logs

    record = resource.scope_logs[0].log_records[0]
    assert (record.trace_id, record.span_id, record.flags) == (b"", b"", 0)


def test_loggers_are_scopes() -> None:
    (resource,) = decoded(ENTRY, ENTRY._replace(logger="uploads"), ENTRY).resource_logs

    assert [(scope.scope.name, len(scope.log_records)) for scope in resource.scope_logs] == [
        ("mizuchi.access", 2),
        ("uploads", 1),
    ]


def test_nothing_is_no_request() -> None:
    assert LogEncoder(Resource({})).encode([]) == b""


@pytest.mark.parametrize(
    ("level", "number"),
    [(0, 1), (5, 4), (10, 5), (11, 6), (20, 9), (25, 12), (30, 13), (40, 17), (50, 21), (55, 24), (99, 24)],
)
def test_severity(level: int, number: int) -> None:
    assert severity_number(level) == number


def test_weight_grows_with_text_and_errors_go_last() -> None:
    encoder = LogEncoder(Resource({}))

    light, heavy = (
        encoder.prepare(ENTRY),
        encoder.prepare(ENTRY._replace(text="x" * 1000, level=logging.ERROR)),
    )
    assert (light.spans, light.is_error, heavy.is_error) == (1, False, True)
    assert heavy.size - light.size == 1000 - len(ENTRY.text)
