"""Every outcome of a try, over both protocols, from real receivers."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Literal

import grpc
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.endurance.collector_outages import Collector, needs_mount_namespace
from tests.servers.certificates import self_signed
from tests.servers.far_away import far_away
from tests.servers.nameserver import running_nameserver
from tests.servers.otlp_receiver import (
    Accept,
    BlackHole,
    Fail,
    Garbage,
    OtlpReceiver,
    Partial,
    Redirect,
    otlp_receiver,
    refused_port,
)
from tests.servers.scripted import Peer, scripted_server
from tests.tracing_app.exporting.otlp_samples import RESOURCE, request_trace
from tracing_app.exporting.config import OtlpConfig
from tracing_app.exporting.factory import build_transport
from tracing_app.exporting.grpc_transport import RETRYABLE_CODES
from tracing_app.exporting.http_transport import HttpTransport
from tracing_app.exporting.otlp_wire import SpanEncoder
from tracing_app.exporting.transport import Accepted, Outcome, Permanent, Retryable

PAYLOAD = SpanEncoder(RESOURCE).encode([request_trace()])
PROGRAM = Path(__file__).with_name("export_program.py")
REPOSITORY = Path(__file__).parents[3]
SECRET = "s3cr3t-t0ken-value"
Protocol = Literal["grpc", "http/protobuf"]
both = pytest.mark.parametrize("protocol", ["grpc", "http/protobuf"])


@pytest.fixture
def receiver(protocol: Protocol) -> Iterator[OtlpReceiver]:
    with otlp_receiver(protocol) as made:
        yield made


def config(receiver: OtlpReceiver, **changes: object) -> OtlpConfig:
    return OtlpConfig(receiver.endpoint, receiver.protocol, **changes)  # type: ignore[arg-type]


@contextmanager
def named_collector(protocol: Protocol, folder: Path) -> Iterator[Collector]:
    needs_mount_namespace()
    with otlp_receiver(protocol) as receiver, running_nameserver() as nameserver:
        yield Collector(receiver, folder, nameserver=nameserver)


@contextmanager
def sending_program(collector: Collector) -> Iterator[Callable[[], str]]:
    """A process that sends when told to, within 1 s, where the collector's name is as it says."""
    program = subprocess.Popen(
        [
            *collector.run_by,
            sys.executable,
            str(PROGRAM),
            "send",
            collector.otlp["endpoint"],
            collector.receiver.protocol,
        ],
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )

    def send() -> str:
        assert program.stdin
        assert program.stdout
        program.stdin.write("send\n")
        program.stdin.flush()
        return program.stdout.readline()

    try:
        assert program.stdout
        assert program.stdout.readline() == "ready\n"
        yield send
    finally:
        program.communicate(timeout=15)
    assert program.returncode == 0


def send_once(otlp: OtlpConfig, seconds: float = 3) -> Outcome:
    transport = build_transport(otlp)
    try:
        return transport.send(PAYLOAD, seconds)
    finally:
        transport.close()


@both
@pytest.mark.parametrize("compression", ["gzip", "none"])
def test_what_is_sent_arrives(receiver: OtlpReceiver, compression: str) -> None:
    otlp = config(receiver, compression=compression, headers=(("X-Tenant", "blue"),))
    assert send_once(otlp) == Accepted()
    assert receiver.requests == [ExportTraceServiceRequest.FromString(PAYLOAD)]
    assert receiver.headers[0]["x-tenant"] == "blue"
    assert receiver.headers[0]["user-agent"].startswith("OTel-OTLP-Exporter-")
    if receiver.protocol == "http/protobuf":
        assert receiver.headers[0].get("content-encoding", "none") == compression
        assert receiver.paths == ["/v1/traces"]


@both
def test_a_transport_is_used_again_and_again(receiver: OtlpReceiver) -> None:
    transport = build_transport(config(receiver))
    assert [transport.send(PAYLOAD, 3) for _ in range(5)] == [Accepted()] * 5
    transport.close()
    assert transport.send(PAYLOAD, 3) == Accepted()
    transport.close()


@both
def test_a_receiver_that_comes_back_is_found_again(receiver: OtlpReceiver) -> None:
    transport = build_transport(config(receiver))
    assert transport.send(PAYLOAD, 3) == Accepted()
    receiver.stop()
    assert isinstance(transport.send(PAYLOAD, 1), Retryable)
    receiver.start()
    assert transport.send(PAYLOAD, 3) == Accepted(), "at the first try: a half-open breaker has no other"
    transport.close()


@both
def test_a_receiver_that_is_far_away_is_reached(protocol: Protocol, tmp_path: Path) -> None:
    """The handshakes of TCP, TLS and HTTP/2 take several round trips, here of 0.2 s each."""
    with otlp_receiver(protocol, tls=self_signed(tmp_path)) as near, far_away(near.port, 0.1) as port:
        otlp = OtlpConfig(f"https://127.0.0.1:{port}", protocol, ca_file=tmp_path / "certificate.pem")
        assert send_once(otlp) == Accepted()


@both
def test_a_name_that_resolves_again_is_found_at_the_first_try(protocol: Protocol, tmp_path: Path) -> None:
    """However long it did not: the resolver's own patience grows with every failure."""
    with named_collector(protocol, tmp_path) as collector, sending_program(collector) as send:
        collector.resolve("denies")
        ends = time.monotonic() + 6
        while time.monotonic() < ends:
            assert send().startswith("Retryable")
            time.sleep(0.2)
        collector.resolve("answers")
        assert send().startswith("Accepted")


@both
def test_a_nameserver_that_never_answers_costs_no_more_than_the_deadline(
    protocol: Protocol, tmp_path: Path
) -> None:
    with named_collector(protocol, tmp_path) as collector, sending_program(collector) as send:
        collector.resolve("silent")
        for _ in range(3):
            began = time.monotonic()
            assert send().startswith("Retryable")
            assert time.monotonic() - began < 3
        collector.resolve("answers")
        ends = time.monotonic() + 20
        while not send().startswith("Accepted"):
            assert time.monotonic() < ends, "a question that the nameserver did not hear is asked again"


@both
def test_partial_success_is_understood(receiver: OtlpReceiver) -> None:
    receiver.behaviour = Partial(2, "attribute too long")
    assert send_once(config(receiver)) == Accepted(2, "attribute too long")


@both
def test_an_answer_that_is_not_otlp_is_no_success(receiver: OtlpReceiver) -> None:
    receiver.behaviour = Garbage()
    outcome = send_once(config(receiver))
    assert isinstance(outcome, Permanent)
    assert "not as an OTLP receiver" in outcome.reason


@both
def test_a_black_hole_costs_no_more_than_the_deadline(receiver: OtlpReceiver) -> None:
    receiver.behaviour = BlackHole()
    began = time.monotonic()
    assert isinstance(send_once(config(receiver), 0.5), Retryable)
    assert 0.4 < time.monotonic() - began < 1.2


@both
def test_a_slow_receiver_within_the_deadline_is_no_failure(receiver: OtlpReceiver) -> None:
    receiver.behaviour = Accept(seconds=0.4)
    assert send_once(config(receiver), 3) == Accepted()


@both
def test_a_refused_connection_can_be_retried(protocol: Protocol) -> None:
    with refused_port() as port:
        outcome = send_once(OtlpConfig(f"http://127.0.0.1:{port}", protocol))
    assert isinstance(outcome, Retryable)
    assert str(port) in outcome.reason


@both
def test_a_name_that_does_not_resolve_can_be_retried(protocol: Protocol) -> None:
    outcome = send_once(OtlpConfig("http://collector.invalid:14317", protocol), 5)
    assert isinstance(outcome, Retryable)
    assert "DNS" in outcome.reason


@both
def test_tls_with_its_own_authority(protocol: Protocol, tmp_path: Path) -> None:
    certificate = self_signed(tmp_path)
    with otlp_receiver(protocol, tls=certificate) as receiver:
        assert send_once(config(receiver, ca_file=certificate.certificate)) == Accepted()


@both
def test_an_untrusted_certificate_is_named_and_can_be_retried(protocol: Protocol, tmp_path: Path) -> None:
    with otlp_receiver(protocol, tls=self_signed(tmp_path)) as receiver:
        outcome = send_once(config(receiver))
    assert isinstance(outcome, Retryable)
    assert "TLS: the certificate of" in outcome.reason


@both
def test_a_ca_file_that_is_missing_can_be_retried(protocol: Protocol, tmp_path: Path) -> None:
    outcome = send_once(OtlpConfig("https://127.0.0.1:14317", protocol, ca_file=tmp_path / "none.pem"))
    assert isinstance(outcome, Retryable)
    assert "No such file" in outcome.reason


@both
def test_what_the_receiver_says_is_told_without_credentials(receiver: OtlpReceiver) -> None:
    receiver.behaviour = Fail(400, grpc.StatusCode.INVALID_ARGUMENT, f"bad {SECRET} in Bearer abcdef\n")
    outcome = send_once(config(receiver, headers=(("Authorization", f"Bearer {SECRET}"),)))
    assert isinstance(outcome, Permanent)
    assert SECRET not in outcome.reason
    assert "abcdef" not in outcome.reason
    assert outcome.reason.endswith("bad [redacted] in Bearer [redacted]")
    assert SECRET not in repr(config(receiver, headers=(("Authorization", SECRET),)))


@pytest.mark.parametrize("protocol", ["http/protobuf"])
@pytest.mark.parametrize(
    ("status", "kind"),
    [(status, Retryable) for status in (429, 502, 503, 504)]
    + [(status, Permanent) for status in (400, 401, 403, 404, 405, 408, 413, 500, 501, 505)],
)
def test_http_statuses(receiver: OtlpReceiver, status: int, kind: type[Outcome]) -> None:
    receiver.behaviour = Fail(status)
    outcome = send_once(config(receiver))
    assert type(outcome) is kind
    assert outcome.reason == f"HTTP {status}: away"  # type: ignore[union-attr]


@pytest.mark.parametrize("protocol", ["grpc"])
@pytest.mark.parametrize(
    "code", [code for code in grpc.StatusCode if code.value[0]], ids=lambda code: code.name
)
def test_grpc_codes(receiver: OtlpReceiver, code: grpc.StatusCode) -> None:
    receiver.behaviour = Fail(grpc=code)
    outcome = send_once(config(receiver))
    assert type(outcome) is (Retryable if code in RETRYABLE_CODES else Permanent)
    assert outcome.reason == f"gRPC {code.name}: away"  # type: ignore[union-attr]


@pytest.mark.parametrize("protocol", ["grpc"])
def test_an_exhausted_grpc_receiver_with_retry_info_can_be_retried(receiver: OtlpReceiver) -> None:
    receiver.behaviour = Fail(grpc=grpc.StatusCode.RESOURCE_EXHAUSTED, retry_after="7")
    assert send_once(config(receiver)) == Retryable("gRPC RESOURCE_EXHAUSTED: away", 7.0)


@pytest.mark.parametrize("protocol", ["http/protobuf"])
@pytest.mark.parametrize(
    ("header", "low", "high"),
    [
        ("7", 7, 7),
        (format_datetime(datetime.now(UTC) + timedelta(hours=3), usegmt=True), 3600, 10_801),
        (format_datetime(datetime.now(UTC) - timedelta(hours=1), usegmt=True), 0, 0),
    ],
    ids=["seconds", "date", "past date"],
)
def test_retry_after(receiver: OtlpReceiver, header: str, low: float, high: float) -> None:
    receiver.behaviour = Fail(503, retry_after=header)
    outcome = send_once(config(receiver))
    assert isinstance(outcome, Retryable)
    assert outcome.retry_after_seconds is not None
    assert low <= outcome.retry_after_seconds <= high


@pytest.mark.parametrize("protocol", ["http/protobuf"])
@pytest.mark.parametrize("header", ["soon", "-5", "1e9", "", f"Mon, 01 Jan 2024 00:00:00 +{'9' * 30}"])
def test_an_unreadable_retry_after_is_none(receiver: OtlpReceiver, header: str) -> None:
    receiver.behaviour = Fail(503, retry_after=header)
    assert send_once(config(receiver)) == Retryable("HTTP 503: away", None)


@pytest.mark.parametrize("protocol", ["http/protobuf"])
def test_a_redirect_names_the_host_it_leads_to_and_no_more(receiver: OtlpReceiver) -> None:
    receiver.behaviour = Redirect("https://user:pw@collector.example:4318/v1/traces?key=abc")
    assert send_once(config(receiver)) == Permanent(
        "HTTP 307: redirected to collector.example:4318, set that as the endpoint"
    )


@pytest.mark.parametrize(
    ("body", "outcome"),
    [
        (b"{}", Accepted()),
        (b'{"partialSuccess":{"rejectedSpans":"3","errorMessage":"no"}}', Accepted(3, "no")),
        (b"[]", Permanent("answered, but not as an OTLP receiver does: is this the right endpoint?")),
    ],
)
def test_an_answer_in_json_is_understood(body: bytes, outcome: Outcome) -> None:
    def script(peer: Peer, number: int) -> None:
        peer.read_request()
        peer.answer(headers="Content-Type: application/json\r\n", body=body)

    with scripted_server(script) as server:
        assert send_once(OtlpConfig(server.endpoint, "http/protobuf")) == outcome


@pytest.mark.parametrize(
    "drip", [b"HTTP/1.1 200 OK\r\nX: ", b"HTTP/1.1 200 OK\r\nContent-Length: 60\r\n\r\n"]
)
def test_a_receiver_that_drips_is_left_at_the_deadline(drip: bytes) -> None:
    def script(peer: Peer, number: int) -> None:
        peer.read_request()
        peer.sock.sendall(drip)
        for _ in range(50):
            time.sleep(0.05)
            peer.sock.sendall(b"x")

    with scripted_server(script) as server:
        began = time.monotonic()
        outcome = send_once(OtlpConfig(server.endpoint, "http/protobuf"), 0.5)
        elapsed = time.monotonic() - began
    assert isinstance(outcome, Retryable)
    assert elapsed < 1


@pytest.mark.parametrize("is_tls", [False, True], ids=["plain", "TLS"])
def test_a_connection_is_kept_and_a_stale_one_replaced(is_tls: bool, tmp_path: Path) -> None:
    certificate = self_signed(tmp_path)

    def script(peer: Peer, number: int) -> None:
        for _ in range(2):
            head, _ = peer.read_request()
            if not head:
                return
            peer.answer(headers="Content-Type: application/x-protobuf\r\n")

    with scripted_server(script, tls=certificate.server_context() if is_tls else None) as server:
        endpoint = server.endpoint.replace("http:", "https:") if is_tls else server.endpoint
        otlp = OtlpConfig(endpoint, "http/protobuf", ca_file=certificate.certificate)
        transport = HttpTransport(otlp)
        outcomes = []
        for _ in range(4):
            outcomes.append(transport.send(PAYLOAD, 3))
            time.sleep(0.1)
        assert outcomes == [Accepted()] * 4
        assert server.connections == 2
        transport.close()


def test_an_answer_without_end_is_not_read_to_its_end() -> None:
    def script(peer: Peer, number: int) -> None:
        peer.read_request()
        peer.sock.sendall(b"HTTP/1.1 400 No\r\nContent-Type: text/plain\r\n\r\n")
        for _ in range(5000):
            peer.sock.sendall(b"y" * 65536)

    with scripted_server(script) as server:
        outcome = send_once(OtlpConfig(server.endpoint, "http/protobuf"))
    assert isinstance(outcome, Permanent)
    assert len(outcome.reason) < 300


@both
def test_an_http_port_is_no_grpc_receiver_and_the_other_way_round(protocol: Protocol) -> None:
    other: Protocol = "http/protobuf" if protocol == "grpc" else "grpc"
    with otlp_receiver(other) as receiver:
        outcome = send_once(OtlpConfig(receiver.endpoint, protocol), 1)
    assert not isinstance(outcome, Accepted)


def test_a_certificate_for_another_host_is_refused(tmp_path: Path) -> None:
    certificate = self_signed(tmp_path)
    with otlp_receiver("http/protobuf", tls=certificate) as receiver:
        endpoint = f"https://localhost:{receiver.port}"
        otlp = OtlpConfig(endpoint, "http/protobuf", ca_file=certificate.certificate)
        if "127.0.0.1" not in {found[4][0] for found in socket.getaddrinfo("localhost", receiver.port)}:
            pytest.skip("localhost is not 127.0.0.1 here")
        outcome = send_once(otlp)
    assert isinstance(outcome, Retryable)
    assert "not trusted" in outcome.reason
