from __future__ import annotations

import json
import socket
import time
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from opentelemetry.sdk.resources import Resource

from tests.servers.otlp_receiver import Fail, OtlpReceiver, Partial, Redirect, otlp_receiver, refused_port
from tracing_app.check_export import check_export
from tracing_app.config import TracingConfig
from tracing_app.exporting.config import ExportConfig, OtlpConfig


def run(*arguments: str) -> tuple[int, str, str]:
    """Exit code, standard output and standard error."""
    out, err = StringIO(), StringIO()
    try:
        call_command("tracing_check", *arguments, stdout=out, stderr=err)
    except SystemExit as ended:
        return int(ended.code or 0), out.getvalue(), err.getvalue()
    return 0, out.getvalue(), err.getvalue()


def configure(settings: Any, endpoint: str, protocol: Any = "grpc") -> None:
    otlp = OtlpConfig(endpoint, protocol, timeout_seconds=2.0, headers=(("x-token", "s3cr3t"),))
    settings.TRACING = TracingConfig("gateway-under-test", ExportConfig(otlp))


@pytest.mark.parametrize("protocol", ["grpc", "http/protobuf"])
def test_a_real_span_arrives(settings: Any, protocol: Any) -> None:
    with otlp_receiver(protocol) as receiver:
        configure(settings, f"http://127.0.0.1:{receiver.port}", protocol)
        code, out, _ = run()

    assert code == 0, out
    assert [line.split()[:2] for line in out.splitlines()] == [
        ["resolve", "ok"],
        ["connect", "ok"],
        ["export", "ok"],
    ]
    assert [span.name for span in receiver.spans()] == ["tracing_check"]
    resource = receiver.requests[0].resource_spans[0].resource
    assert "gateway-under-test" in [each.value.string_value for each in resource.attributes]
    assert receiver.headers[0]["x-token"] == "s3cr3t"


def test_as_json(settings: Any) -> None:
    with otlp_receiver("grpc") as receiver:
        configure(settings, f"http://127.0.0.1:{receiver.port}")
        code, out, _ = run("--json")

    report = json.loads(out)
    assert code == 0
    assert [step["name"] for step in report["steps"]] == ["resolve", "connect", "export"]
    assert "s3cr3t" not in out


def test_a_port_that_nobody_listens_on(settings: Any) -> None:
    with refused_port() as port:
        configure(settings, f"http://127.0.0.1:{port}")
        code, out, _ = run()

    assert code == 1
    assert "connect  failed" in out
    assert "is the collector running" in out
    assert "export" not in out


def test_a_host_that_is_not_known(settings: Any) -> None:
    configure(settings, "http://no-such-host.invalid:4317")

    code, out, _ = run()

    assert code == 1
    assert "resolve  failed" in out
    assert "tracing.otlp.endpoint" in out


def test_tls_towards_a_collector_without_it(settings: Any) -> None:
    with otlp_receiver("http/protobuf") as receiver:
        configure(settings, f"https://127.0.0.1:{receiver.port}", "http/protobuf")
        code, out, _ = run()

    assert code == 1
    assert "tls      failed" in out
    assert "ca_file" in out


@pytest.mark.parametrize(
    "behaviour",
    [Fail(http=401), Fail(http=503), Redirect("http://elsewhere/"), Partial(1, "too old")],
    ids=["401", "503", "redirect", "partial success"],
)
def test_a_collector_that_does_not_take_it(settings: Any, behaviour: Any) -> None:
    with otlp_receiver("http/protobuf") as receiver:
        _tell(receiver, behaviour)
        configure(settings, f"http://127.0.0.1:{receiver.port}", "http/protobuf")
        code, out, _ = run()

    assert code == 1
    assert "export   failed" in out
    assert "s3cr3t" not in out


@pytest.mark.parametrize("protocol", ["grpc", "http/protobuf"])
def test_a_collector_that_says_nothing_is_given_up_in_time(protocol: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        otlp = OtlpConfig(f"http://127.0.0.1:{silent.getsockname()[1]}", protocol, timeout_seconds=60.0)
        began = time.monotonic()
        steps = list(check_export(otlp, Resource({}), within_seconds=0.5))

    assert time.monotonic() - began < 30
    assert [step.name for step in steps] == ["resolve", "connect", "export"]
    assert [bool(step.advice) for step in steps] == [False, False, True]


def test_no_time_is_none() -> None:
    with otlp_receiver("grpc") as receiver:
        otlp = OtlpConfig(f"http://127.0.0.1:{receiver.port}")
        (step,) = check_export(otlp, Resource({}), within_seconds=0)

    assert step.advice
    assert step.detail == "the steps before took all the time there was"


def _tell(receiver: OtlpReceiver, behaviour: Any) -> None:
    receiver.behaviour = behaviour


@pytest.mark.parametrize(
    "arguments",
    [(), ("--endpoint", "collector"), ("--endpoint", "http://collector:4318")],
    ids=["none", "no URL", "the port of the other protocol"],
)
def test_an_endpoint_that_is_missing_or_cannot_be_right(settings: Any, arguments: tuple[str, ...]) -> None:
    settings.TRACING = TracingConfig("x")

    code, _, err = run(*arguments)

    assert code == 2
    assert err


def test_another_endpoint_may_be_tried(settings: Any) -> None:
    settings.TRACING = TracingConfig("x")
    with otlp_receiver("grpc") as receiver:
        code, out, _ = run("--endpoint", f"http://127.0.0.1:{receiver.port}")

    assert code == 0, out
