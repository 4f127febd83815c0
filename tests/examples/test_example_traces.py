"""The examples for Jaeger and Tempo: files that their programs take, and a script that shows a trace."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from mizuchi_site.private_files import read_exports
from tests.e2e.gateway import MANAGE, is_ready
from tests.servers.jaeger import Jaeger
from tests.servers.process import free_ports, running_server

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
SCRIPT = EXAMPLES / "first_trace.py"
TRACE = [
    "PUT s3.PutObject",
    "  auth.sigv4",
    "  upload.put_object",
    "    file.write",
]


@pytest.fixture(scope="module")
def key(jaeger: Jaeger, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The variables of ``dev.env`` of a gateway that runs with the configuration of the example."""
    var = tmp_path_factory.mktemp("example-gateway") / "var"
    (port,) = free_ports(1)
    environment = {
        "DJANGO_SETTINGS_MODULE": "mizuchi_site.settings",
        "MIZUCHI_CONFIG": str(EXAMPLES / "jaeger" / "config.yaml"),
        "MIZUCHI_VAR": str(var),
        "MIZUCHI_BIND": f"127.0.0.1:{port}",
        "MIZUCHI_OTLP_ENDPOINT": jaeger.otlp_endpoint("grpc"),
    }
    command = [sys.executable, str(MANAGE)]
    subprocess.run([*command, "setup_dev"], env=os.environ | environment, check=True, capture_output=True)
    with running_server(
        [*command, "serve", "--workers", "1"],
        log=var.parent / "log",
        is_ready=lambda: is_ready(port),
        environment=environment,
    ):
        yield read_exports(var / "dev.env")


def shown(key: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, SCRIPT, *arguments], env=key, capture_output=True, text=True, check=False
    )


@pytest.mark.slow
def test_the_trace_of_an_upload_is_shown_from_jaeger(jaeger: Jaeger, key: dict[str, str]) -> None:
    ended = shown(key, "--jaeger", jaeger.endpoint)

    assert ended.returncode == 0, ended.stderr
    uploaded, *lines = ended.stdout.splitlines()
    assert re.fullmatch(
        r"uploaded http://127\.0\.0\.1:\d+/uploads/first-trace\.txt, request id \w{32}", uploaded
    )
    assert [re.sub(r" +[0-9.]+ ms$", "", line) for line in lines] == TRACE


@pytest.mark.slow
def test_why_there_is_no_trace(jaeger: Jaeger, key: dict[str, str]) -> None:
    """Nothing is exported to a collector that is asked for another trace, or that is not there."""
    with answering(404, {}) as elsewhere:
        missing = shown(key, "--tempo", elsewhere, "--wait", "0")
    away = shown(key, "--jaeger", elsewhere)
    refused = shown({**key, "AWS_SECRET_ACCESS_KEY": "another"}, "--jaeger", jaeger.endpoint)
    nameless = shown({}, "--jaeger", jaeger.endpoint)

    assert [ended.returncode for ended in (missing, away, refused, nameless)] == [1, 1, 1, 1]
    assert "has no trace after 0 s" in missing.stderr
    assert "uploaded, but nobody answers" in away.stderr
    assert "not uploaded: 403" in refused.stderr
    assert "SignatureDoesNotMatch" in refused.stderr
    assert "'AWS_ACCESS_KEY_ID' is not set" in nameless.stderr


@pytest.mark.slow
def test_the_trace_of_an_upload_is_shown_as_tempo_answers(key: dict[str, str]) -> None:
    """Its ids are base64, as those of Protocol Buffers in JSON are."""
    spans = [
        span("upload.put_object", "AgICAgICAgI=", 2, parentSpanId="AQEBAQEBAQE="),
        span("PUT s3.PutObject", "AQEBAQEBAQE=", 1),
        span(
            "file.write", "AwMDAwMDAwM=", 3, parentSpanId="AgICAgICAgI=", status={"code": "STATUS_CODE_ERROR"}
        ),
    ]
    trace = {"trace": {"resourceSpans": [{"scopeSpans": [{"spans": [each]}]} for each in spans]}}

    with answering(200, trace) as tempo:
        ended = shown(key, "--tempo", tempo)

    assert ended.returncode == 0, ended.stderr
    assert [line.split() for line in ended.stdout.splitlines()[1:]] == [
        ["PUT", "s3.PutObject", "1.0", "ms"],
        ["upload.put_object", "1.0", "ms"],
        ["file.write", "1.0", "ms", "ERROR"],
    ]


def span(name: str, span_id: str, began: int, **more: object) -> dict[str, object]:
    times = {"startTimeUnixNano": str(began), "endTimeUnixNano": str(began + 1_000_000)}
    return {"name": name, "spanId": span_id, **times, **more}


@contextmanager
def answering(status: int, document: dict[str, Any]) -> Iterator[str]:
    """The URL of an API that has the same answer to everything."""
    body = json.dumps(document).encode()

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
