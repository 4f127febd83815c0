"""Without tracing a worker holds nothing of it: no module, object or thread. With it they are found."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.gateway import migrated_sqlite
from tests.e2e.wire.client import Request
from tests.e2e.wire.signing import Signer
from tests.servers.otlp_receiver import otlp_receiver

ROOT = Path(__file__).parents[2]
SIGNER = Signer("AKOFF", "0" * 40)
BODY = "what is uploaded"
OTHER_THREADS = {"MainThread", "heartbeat", "metrics", "upload-progress"}


def report_of_a_worker(folder: Path, tracing: dict[str, Any]) -> dict[str, Any]:
    """What a worker that served one PUT tells of itself."""
    config, var = folder / "config.yaml", folder / "var"
    var.mkdir()
    (var / "mizuchi.sqlite3").write_bytes(migrated_sqlite())
    key = {
        "access_key_id": SIGNER.access_key_id,
        "secret_access_key": SIGNER.secret,
        "principal": "off",
        "buckets": ["*"],
    }
    config.write_text(json.dumps({"tracing": tracing, "access_keys": [key]}))
    environment = {
        "DJANGO_SETTINGS_MODULE": "mizuchi_site.settings",
        "MIZUCHI_CONFIG": str(config),
        "MIZUCHI_VAR": str(var),
        "PYTHONPATH": str(ROOT),
    }
    headers = (("Host", "127.0.0.1:8080"), ("Content-Length", str(len(BODY))))
    request = SIGNER.sign(Request("PUT", "/uploads/key", headers=headers, body=BODY.encode()))
    asked = {"method": request.method, "path": request.path, "headers": request.headers, "body": BODY}
    ended = subprocess.run(
        [sys.executable, str(ROOT / "tests/e2e/one_put.py")],
        env={**os.environ, **environment},
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    report: dict[str, Any] = json.loads(ended.stdout)
    assert report["status"] == "200 OK", report
    return report


@pytest.mark.parametrize(
    "tracing",
    [{"enabled": False}, {"enabled": False, "otlp": {"endpoint": "http://127.0.0.1:4317"}}],
    ids=["no collector", "a collector"],
)
def test_without_tracing_there_is_nothing_of_it(tmp_path: Path, tracing: dict[str, Any]) -> None:
    report = report_of_a_worker(tmp_path, tracing)

    assert report["modules"] == []
    assert report["objects"] == []
    assert set(report["threads"]) <= OTHER_THREADS
    assert len(report["headers"]["x-amz-request-id"]) == 32
    assert "traceresponse" not in report["headers"]


def test_with_tracing_the_same_search_finds_it(tmp_path: Path) -> None:
    with otlp_receiver("http/protobuf") as receiver:
        otlp = {"endpoint": receiver.endpoint, "protocol": "http/protobuf"}
        report = report_of_a_worker(tmp_path, {"otlp": otlp})

        assert "opentelemetry.sdk.resources" in report["modules"]
        assert "tracing_app.recording.provider.LightTracerProvider" in report["objects"]
        assert "opentelemetry.sdk.resources.Resource" in report["objects"]
        assert "mizuchi-trace-export" in report["threads"]
        assert report["headers"]["traceresponse"].startswith(f"00-{report['headers']['x-amz-request-id']}-")
        assert receiver.spans()
