"""The log of the running gateway: its main process, its workers, and what a real OTLP receiver gets of it."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, ResourceLogs

from tests.e2e.gateway import FILES, SEAWEED, Gateway, running_gateway
from tests.servers.otlp_receiver import BlackHole, OtlpReceiver, otlp_receiver
from tests.servers.seaweedfs import SeaweedFS

T = TypeVar("T")
CANARY = "cana-ry-9262"
KEY = f"{CANARY}@example.org/{CANARY}.txt"


def until(find: Callable[[], T], what: str = "it") -> T:
    """What is found, once it is."""
    deadline = time.monotonic() + 15
    while not (found := find()):
        assert time.monotonic() < deadline, f"{what} did not come"
        time.sleep(0.05)
    return found


def client_of(gateway: Gateway, secret: str | None = None) -> Any:
    return boto3.client(
        "s3",
        endpoint_url=gateway.endpoint,
        aws_access_key_id=gateway.access_key_id,
        aws_secret_access_key=secret or gateway.secret_access_key,
        region_name="us-east-1",
        config=Config(
            signature_version="s3v4", retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}
        ),
    )


def request_id(answer: Any) -> str:
    headers: dict[str, str] = answer["ResponseMetadata"]["HTTPHeaders"]
    return headers["x-amz-request-id"]


@dataclass(frozen=True, slots=True)
class Exported:
    """A record as it arrived, with what it came under."""

    resource: dict[str, Any]
    logger: str
    record: LogRecord

    @property
    def text(self) -> str:
        return self.record.body.string_value

    @property
    def trace_id(self) -> str:
        return self.record.trace_id.hex()


def values(attributes: Any) -> dict[str, Any]:
    return {each.key: getattr(each.value, each.value.WhichOneof("value")) for each in attributes}


@dataclass(frozen=True, slots=True)
class Logged:
    gateway: Gateway
    receiver: OtlpReceiver

    def lines(self) -> list[dict[str, Any]]:
        """Every line on standard error, each of which is JSON."""
        return [json.loads(line) for line in self.gateway.log.read_text().splitlines()]

    def exported(self) -> list[Exported]:
        return [
            each for request in list(self.receiver.log_requests) for each in _exported(request.resource_logs)
        ]

    def access(self, trace_id: str) -> Exported:
        """The record of the access log with that trace id, once it arrived."""

        def find() -> list[Exported]:
            return [
                each
                for each in self.exported()
                if (each.logger, each.trace_id) == ("mizuchi.access", trace_id)
            ]

        (found,) = until(find, "the access record")
        return found


def _exported(resources: Any) -> Iterator[Exported]:
    resource: ResourceLogs
    for resource in resources:
        for scope in resource.scope_logs:
            for record in scope.log_records:
                yield Exported(values(resource.resource.attributes), scope.scope.name, record)


@pytest.fixture(scope="module", params=["grpc", "http/protobuf"])
def logged(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, seaweedfs: SeaweedFS
) -> Iterator[Logged]:
    with otlp_receiver(request.param) as receiver:
        sections = {
            "tracing": {
                "otlp": {"endpoint": receiver.endpoint, "protocol": request.param},
                "batch": {"scheduled_delay_millis": 100},
            },
            "logging": {"format": "json", "otlp": True},
        }
        with running_gateway(tmp_path_factory.mktemp("logged"), seaweedfs, sections) as gateway:
            yield Logged(gateway, receiver)


def test_the_access_record_of_an_upload_arrives_under_its_trace(logged: Logged) -> None:
    trace_id = request_id(client_of(logged.gateway).put_object(Bucket=FILES, Key=KEY, Body=b"x" * 1000))

    told = logged.access(trace_id)

    assert told.text.startswith("PUT PutObject 200 - ")
    assert (told.record.severity_number, told.record.severity_text) == (9, "INFO")
    fields = values(told.record.attributes)
    assert fields.pop("mizuchi.duration_ms") > 0
    assert fields.pop("http.request.body.size") >= 1000
    assert {name: value for name, value in fields.items() if not name.startswith("code.")} == {
        "http.request.method": "PUT",
        "http.response.status_code": 200,
        "mizuchi.operation": "PutObject",
    }
    assert told.record.flags & 1
    assert time.time() - told.record.time_unix_nano / 1e9 < 60


def test_it_belongs_to_the_root_span_and_comes_from_the_same_process(logged: Logged) -> None:
    trace_id = request_id(client_of(logged.gateway).put_object(Bucket=FILES, Key=KEY, Body=b"x"))
    told = logged.access(trace_id)

    def root() -> list[tuple[str, dict[str, Any]]]:
        return [
            (span.span_id.hex(), values(resource.resource.attributes))
            for request in list(logged.receiver.requests)
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
            if (span.trace_id.hex(), span.name) == (trace_id, "PUT s3.PutObject")
        ]

    ((span_id, resource),) = until(root, "the root span")
    assert told.record.span_id.hex() == span_id
    assert told.resource == resource


def test_the_same_is_a_line_of_json(logged: Logged) -> None:
    trace_id = request_id(client_of(logged.gateway).put_object(Bucket=FILES, Key=KEY, Body=b"x" * 1000))
    told = logged.access(trace_id)

    (line,) = [
        line for line in logged.lines() if line["trace_id"] == trace_id and line["logger"] == told.logger
    ]
    assert line["span_id"] == told.record.span_id.hex()
    assert line["pid"] == told.resource["process.pid"]
    assert (line["method"], line["operation"], line["status"], line["code"]) == (
        "PUT",
        "PutObject",
        200,
        None,
    )
    assert line["message"] == told.text


def test_a_refusal_is_told_with_its_code_and_the_reason_stays_here(logged: Logged) -> None:
    with pytest.raises(ClientError) as refused:
        client_of(logged.gateway, secret="wrong").put_object(Bucket=FILES, Key=KEY, Body=b"x")
    trace_id = request_id(refused.value.response)

    assert values(logged.access(trace_id).record.attributes)["error.type"] == "SignatureDoesNotMatch"
    doctor = until(
        lambda: [each for each in logged.exported() if each.trace_id == trace_id and "doctor" in each.logger]
    )
    assert doctor[0].text.startswith(
        f"signature of request {trace_id} does not match; likely cause: [redacted]"
    )
    (line,) = [
        line for line in logged.lines() if line["trace_id"] == trace_id and line["logger"] == doctor[0].logger
    ]
    assert "string to sign as computed:\nAWS4-HMAC-SHA256\n" in line["message"]


def test_every_process_logs(logged: Logged) -> None:
    client_of(logged.gateway).put_object(Bucket=FILES, Key="every-process", Body=b"x")
    starts = until(lambda: [each for each in logged.exported() if "ready (pid" in each.text])
    until(lambda: [each for each in logged.exported() if each.logger == "mizuchi.access"])
    workers = {line["pid"] for line in logged.lines() if line["logger"] == "mizuchi.access"}

    main = starts[0].resource["process.pid"]
    assert starts[0].logger == "mizuchi_site.server.gateway_server"
    assert starts[0].trace_id == ""
    assert workers
    assert main not in workers
    assert len({each.resource["service.instance.id"] for each in logged.exported()}) >= 2


def test_nothing_personal_or_secret_is_exported(logged: Logged) -> None:
    gateway, client = logged.gateway, client_of(logged.gateway)
    for bucket in (FILES, SEAWEED):
        client.put_object(Bucket=bucket, Key=KEY, Body=b"x", Metadata={"owner": CANARY})
        upload = client.create_multipart_upload(Bucket=bucket, Key=KEY)["UploadId"]
        client.upload_part(Bucket=bucket, Key=KEY, UploadId=upload, PartNumber=1, Body=b"x")
        client.abort_multipart_upload(Bucket=bucket, Key=KEY, UploadId=upload)
    for failing in (
        lambda: client_of(gateway, secret="wrong").put_object(Bucket=FILES, Key=KEY, Body=b"x"),
        lambda: client.put_object(Bucket="nowhere", Key=KEY, Body=b"x"),
        lambda: client.upload_part(Bucket=FILES, Key=KEY, UploadId=upload, PartNumber=1, Body=b"x"),
        lambda: client.put_object(Bucket=FILES, Key=KEY, Body=b"x", ContentMD5="1B2M2Y8AsgTpgAmY7PhCfg=="),
        lambda: client.get_object(Bucket=FILES, Key=KEY),
        lambda: client.put_object(Bucket=FILES, Key=f"{KEY}/below", Body=b"x"),
    ):
        with pytest.raises(ClientError):
            failing()
    presigned = client.generate_presigned_url("put_object", {"Bucket": FILES, "Key": KEY})
    leave_in_the_middle(gateway, presigned)
    visit_a_page(gateway)
    connection = http.client.HTTPConnection(gateway.endpoint.removeprefix("http://"))
    connection.request("PUT", presigned.removeprefix(gateway.endpoint), b"x", {"cookie": CANARY})
    answer = connection.getresponse()
    assert answer.status == 200
    logged.access(answer.headers["x-amz-request-id"])
    connection.close()

    exported = b"".join(request.SerializeToString() for request in logged.receiver.log_requests)
    signature = presigned.partition("X-Amz-Signature=")[2][:64]
    assert len(logged.exported()) > 20
    for secret in (
        CANARY,
        gateway.secret_access_key,
        gateway.access_key_id,
        signature,
        upload,
        "end-to-end",
        "127.0.0.1:",
    ):
        assert secret.encode() not in exported.replace(gateway.endpoint.encode(), b"")


def leave_in_the_middle(gateway: Gateway, presigned: str) -> None:
    """Promise a body and go."""
    connection = http.client.HTTPConnection(gateway.endpoint.removeprefix("http://"))
    connection.putrequest("PUT", presigned.removeprefix(gateway.endpoint))
    connection.putheader("Content-Length", "1000")
    connection.endheaders()
    connection.send(b"x")
    connection.close()


def visit_a_page(gateway: Gateway) -> None:
    """Django logs paths and hosts itself."""
    connection = http.client.HTTPConnection(gateway.endpoint.removeprefix("http://"))
    for host, path in (("localhost", f"/admin/{CANARY}?q={CANARY}"), (f"{CANARY}.example", "/admin/")):
        connection.request("GET", path, headers={"host": host})
        connection.getresponse().read()
    connection.close()


def test_the_end_is_told_too(tmp_path: Path, seaweedfs: SeaweedFS) -> None:
    """Traces are off, and records wait for a minute to fill a batch: what is queued goes out at the end."""
    with otlp_receiver("http/protobuf") as receiver:
        sections = {
            "tracing": {
                "enabled": False,
                "otlp": {"endpoint": receiver.endpoint, "protocol": "http/protobuf"},
                "batch": {"scheduled_delay_millis": 60_000},
            },
            "logging": {"console": False, "otlp": True},
        }
        with running_gateway(tmp_path, seaweedfs, sections) as gateway:
            trace_id = request_id(client_of(gateway).put_object(Bucket=FILES, Key="k", Body=b"x"))
            assert receiver.tries == 0

        told = Logged(gateway, receiver)
        assert told.access(trace_id).record.span_id == b""
        assert "Stopped" in [each.text for each in told.exported()]
        assert receiver.requests == []
        assert gateway.log.read_text() == ""


def test_the_variable_changes_who_is_heard(
    tmp_path: Path, seaweedfs: SeaweedFS, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIZUCHI_LOG", "warning,mizuchi_site.server=info,uploads.exception_handler=info")
    sections = {"logging": {"filter": "off", "format": "json"}}
    with running_gateway(tmp_path, seaweedfs, sections) as gateway:
        client_of(gateway).put_object(Bucket=FILES, Key="k", Body=b"x")
        upload = client_of(gateway).create_multipart_upload(Bucket=SEAWEED, Key="k")["UploadId"]
        client_of(gateway).abort_multipart_upload(Bucket=SEAWEED, Key="k", UploadId=upload)
        connection = http.client.HTTPConnection(gateway.endpoint.removeprefix("http://"))
        connection.request("PUT", f"/{FILES}/k", body=b"x")
        assert connection.getresponse().status == 403
        connection.close()

    lines = Logged(gateway, OtlpReceiver("grpc")).lines()
    heard = {(line["logger"], line["level"]) for line in lines}
    assert ("mizuchi_site.server.gateway_server", "INFO") in heard
    assert ("uploads.exception_handler", "INFO") in heard
    assert not [logger for logger, _ in heard if logger == "mizuchi.access"]


def test_without_layers_the_gateway_is_silent(tmp_path: Path, seaweedfs: SeaweedFS) -> None:
    with running_gateway(tmp_path, seaweedfs, {"logging": {"console": False}}) as gateway:
        client_of(gateway).put_object(Bucket=FILES, Key="k", Body=b"x")
        with pytest.raises(ClientError):
            client_of(gateway, secret="wrong").put_object(Bucket=FILES, Key="k", Body=b"x")

    assert gateway.log.read_text() == ""


def test_a_black_hole_does_not_hold_up_the_end(tmp_path: Path, seaweedfs: SeaweedFS) -> None:
    """Traces and logs of a worker have three seconds together, the main process a moment after that."""
    with otlp_receiver("http/protobuf") as receiver:
        receiver.behaviour = BlackHole()
        otlp = {"endpoint": receiver.endpoint, "protocol": "http/protobuf", "timeout_seconds": 60}
        sections = {"tracing": {"otlp": otlp}, "logging": {"otlp": True}}
        with running_gateway(tmp_path, seaweedfs, sections) as gateway:
            client_of(gateway).put_object(Bucket=FILES, Key="k", Body=b"x")
            began = time.monotonic()
        assert time.monotonic() - began < 6.5

    assert "] PUT PutObject 200" in gateway.log.read_text()
