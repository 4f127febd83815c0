"""Logs travel to the same collector as traces, by the service and path of logs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, ResourceLogs, ScopeLogs

from tests.servers.otlp_receiver import Fail, OtlpReceiver, Partial, otlp_receiver
from tests.servers.scripted import Peer, scripted_server
from tracing_app.exporting.config import OtlpConfig
from tracing_app.exporting.endpoint import parse_endpoint
from tracing_app.exporting.factory import build_transport
from tracing_app.exporting.signal import LOGS
from tracing_app.exporting.transport import Accepted, Outcome, Retryable

PAYLOAD = ExportLogsServiceRequest(
    resource_logs=[ResourceLogs(scope_logs=[ScopeLogs(log_records=[LogRecord(severity_text="INFO")])])]
).SerializeToString()


@pytest.fixture(params=["grpc", "http/protobuf"])
def receiver(request: pytest.FixtureRequest) -> Iterator[OtlpReceiver]:
    with otlp_receiver(request.param) as made:
        yield made


def send(otlp: OtlpConfig) -> Outcome:
    transport = build_transport(otlp, LOGS)
    try:
        return transport.send(PAYLOAD, 3)
    finally:
        transport.close()


def test_logs_arrive_as_logs(receiver: OtlpReceiver) -> None:
    assert send(OtlpConfig(receiver.endpoint, receiver.protocol)) == Accepted()

    assert [record.severity_text for record in receiver.log_records()] == ["INFO"]
    assert receiver.requests == []


def test_records_that_are_rejected_are_counted(receiver: OtlpReceiver) -> None:
    receiver.behaviour = Partial(1, "too old")

    assert send(OtlpConfig(receiver.endpoint, receiver.protocol)) == Accepted(1, "too old")


def test_a_collector_that_fails_may_be_tried_again(receiver: OtlpReceiver) -> None:
    receiver.behaviour = Fail()

    assert isinstance(send(OtlpConfig(receiver.endpoint, receiver.protocol)), Retryable)


@pytest.mark.parametrize(
    ("url", "is_full_url", "path"),
    [
        ("http://c:4318", False, "/v1/logs"),
        ("http://c:4318/otlp/", False, "/otlp/v1/logs"),
        ("http://c:4318/otlp/v1/traces", False, "/otlp/v1/logs"),
        ("http://c:4318/v1/logs", False, "/v1/logs"),
        ("http://c:4318/otlp/v1/traces", True, "/otlp/v1/logs"),
    ],
)
def test_the_path_of_logs_is_beside_that_of_traces(url: str, is_full_url: bool, path: str) -> None:
    assert parse_endpoint(url, "http/protobuf", is_full_url=is_full_url, signal=LOGS).path == path


def test_an_answer_in_json_names_log_records() -> None:
    def script(peer: Peer, number: int) -> None:
        peer.read_request()
        body = b'{"partialSuccess":{"rejectedLogRecords":"3","errorMessage":"no"}}'
        peer.answer(headers="Content-Type: application/json\r\n", body=body)

    with scripted_server(script) as server:
        assert send(OtlpConfig(server.endpoint, "http/protobuf")) == Accepted(3, "no")
