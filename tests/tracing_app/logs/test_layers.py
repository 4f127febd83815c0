"""Layers and levels as a process has them."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.servers.otlp_receiver import OtlpReceiver, otlp_receiver, refused_port

PROGRAM = Path(__file__).with_name("logging_program.py")


def logged(*calls: tuple[str, str], **told: Any) -> list[str]:
    """The lines on standard error of a process that logs so."""
    arguments = json.dumps({**told, "calls": calls})
    ended = subprocess.run(
        [sys.executable, str(PROGRAM), arguments], capture_output=True, text=True, check=True, timeout=30
    )
    assert ended.stdout == ""
    return ended.stderr.splitlines()


def messages(lines: list[str]) -> list[str]:
    return [line.split(" ", 4)[4] for line in lines]


EVERYBODY = [
    ("uploads.views", "debug"),
    ("uploads.views", "info"),
    ("django.request", "info"),
    ("mizuchi.access", "info"),
    ("botocore", "info"),
    ("botocore", "warning"),
]


@pytest.mark.parametrize(
    ("told", "heard"),
    [
        ({}, "uploads.views:info django.request:info mizuchi.access:info botocore:warning"),
        ({"level": "error"}, "botocore:warning"),
        (
            {"level": "error", "filter": "info"},
            "uploads.views:info django.request:info mizuchi.access:info botocore:warning",
        ),
        (
            {"filter": "warning,uploads=debug"},
            "uploads.views:debug uploads.views:info botocore:warning",
        ),
        (
            {"filter": "uploads=off,uploads.views=info,django=off"},
            "uploads.views:info mizuchi.access:info botocore:warning",
        ),
        ({"filter": "off"}, "botocore:warning"),
        ({"filter": "off,botocore=info"}, "botocore:info botocore:warning"),
        ({"filter": "off,root=off"}, ""),
        ({"filter": "off,root=info"}, "botocore:info botocore:warning"),
        ({"console": False}, ""),
    ],
    ids=lambda value: json.dumps(value) if isinstance(value, dict) else "",
)
def test_who_is_heard(told: dict[str, Any], heard: str) -> None:
    expected = [f"{level} of {name}" for name, level in (each.split(":") for each in heard.split())]

    assert messages(logged(*EVERYBODY, **told)) == expected


def test_what_django_brings_is_replaced() -> None:
    """Its handlers would print lines a second time, and its server's in a format of their own."""
    lines = logged(("django.request", "error"), ("django.server", "info"), as_django=True)

    assert messages(lines) == ["error of django.request", "info of django.server"]


def test_json_is_the_console_in_another_format() -> None:
    lines = logged(("uploads", "info"), format="json")

    assert [json.loads(line)["message"] for line in lines] == ["info of uploads"]


@pytest.mark.parametrize("console", [True, False])
def test_a_warning_of_python_is_a_record(console: bool) -> None:
    lines = [json.loads(line) for line in logged(warns=True, format="json", console=console)]

    assert [(line["logger"], line["level"]) for line in lines] == [("py.warnings", "WARNING")] * console
    assert all("UserWarning: beware" in line["message"] for line in lines)


@pytest.fixture(params=["grpc", "http/protobuf"])
def receiver(request: pytest.FixtureRequest) -> Any:
    with otlp_receiver(request.param) as made:
        yield made


@pytest.mark.parametrize("console", [True, False])
def test_what_waits_is_sent_when_the_process_ends(receiver: OtlpReceiver, console: bool) -> None:
    otlp = [receiver.endpoint, receiver.protocol]
    lines = logged(("uploads", "error"), ("botocore", "info"), otlp=otlp, console=console)

    assert [record.body.string_value for record in receiver.log_records()] == ["error of uploads"]
    assert messages(lines) == (["error of uploads"] if console else [])
    (resource,) = receiver.log_requests[0].resource_logs
    assert "logging-program" in str(resource.resource)


def test_without_a_collector_the_console_says_so_once_and_the_process_ends() -> None:
    with refused_port() as port:
        otlp = [f"http://127.0.0.1:{port}", "http/protobuf"]
        lines = logged(("uploads", "error"), otlp=otlp)

    assert lines[0].endswith("error of uploads")
    assert [re.sub(r".* mizuchi", "mizuchi", line).partition(":")[0] for line in lines[1:]] == [
        "mizuchi.tracing.export log export fails, retrying",
        "mizuchi.tracing.export log export fails, logs are lost",
        "mizuchi.tracing.export log export has ended",
    ]


def test_a_process_that_logs_nothing_connects_to_nothing(receiver: OtlpReceiver) -> None:
    logged(otlp=[receiver.endpoint, receiver.protocol])

    assert receiver.tries == 0
