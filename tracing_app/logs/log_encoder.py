"""Log entries as an ``ExportLogsServiceRequest``.

Source: opentelemetry-proto ``logs/v1``; OpenTelemetry specification, "Logs Data Model" (severity numbers).
"""

from __future__ import annotations

from collections.abc import Iterable

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope, KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, ResourceLogs, ScopeLogs, SeverityNumber
from opentelemetry.proto.resource.v1.resource_pb2 import Resource as ResourceMessage
from opentelemetry.sdk.resources import Resource

from tracing_app.exporting.attribute_wire import encode_attributes, encode_pair, encode_value
from tracing_app.exporting.signal import LOGS
from tracing_app.exporting.trace_queue import Queued

from .exported_record import LogEntry

_ENTRY_BYTES, _ATTRIBUTE_BYTES = 400, 60
_ERROR_LEVEL = 40


class LogEncoder:
    """Encodes for one resource. Built from messages: a request has one or two entries, its spans are more."""

    signal = LOGS

    def __init__(self, resource: Resource) -> None:
        self._resource = ResourceMessage.FromString(encode_attributes(b"\x0a", resource.attributes))
        self._schema_url = resource.schema_url

    def prepare(self, entry: LogEntry) -> Queued[LogEntry]:
        """One entry counts as one; how it fills the queue is by the length of its texts."""
        size = _ENTRY_BYTES + len(entry.text) + _ATTRIBUTE_BYTES * len(entry.attributes)
        size += sum([len(value) for value in entry.attributes.values() if isinstance(value, str)])
        return Queued(entry, 1, size, entry.level >= _ERROR_LEVEL)

    def encode(self, entries: Iterable[LogEntry]) -> bytes:
        """One request; loggers are its scopes."""
        scopes: dict[str, list[LogRecord]] = {}
        for entry in entries:
            scopes.setdefault(entry.logger, []).append(_record(entry))
        if not scopes:
            return b""
        resource_logs = ResourceLogs(
            resource=self._resource,
            schema_url=self._schema_url,
            scope_logs=[
                ScopeLogs(scope=InstrumentationScope(name=name), log_records=records)
                for name, records in scopes.items()
            ],
        )
        return ExportLogsServiceRequest(resource_logs=[resource_logs]).SerializeToString()


def _record(entry: LogEntry) -> LogRecord:
    return LogRecord(
        time_unix_nano=entry.time_ns,
        observed_time_unix_nano=entry.time_ns,
        severity_number=severity_number(entry.level),
        severity_text=entry.level_name,
        body=AnyValue.FromString(encode_value(entry.text)),
        attributes=[
            KeyValue.FromString(encode_pair(name, value)) for name, value in entry.attributes.items()
        ],
        trace_id=bytes.fromhex(entry.trace_id),
        span_id=bytes.fromhex(entry.span_id),
        flags=entry.trace_flags,
    )


def severity_number(level: int) -> SeverityNumber.ValueType:
    """DEBUG 5, INFO 9, WARN 13, ERROR 17, FATAL 21; a level between two of Python's lies between theirs."""
    tens, ones = divmod(min(max(level, 0), 53), 10)
    return SeverityNumber.ValueType(tens * 4 + 1 + min(ones, 3))
