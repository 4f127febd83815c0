"""What tracing costs: one signed PUT of 1 KiB through the application in this process, off and on in turns.

    make overhead [OVERHEAD="--mode null --rounds 40 --requests 200"]

CPU of this process for each request, the export thread's included. ``--mode export`` encodes every trace and
sends it to a real OTLP receiver in another process; ``unsampled`` keeps 1 % of them, errors, slow ones and
what a rule says; ``null`` records all and throws away. Objects and database are on tmpfs.
"""

from __future__ import annotations

import argparse
import copy
import io
import json
import multiprocessing
import os
import shutil
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.e2e.wire.client import Request
from tests.e2e.wire.signing import Signer

KEY_ID, SECRET = "AKOVERHEAD", "s" * 40
BODY = b"x" * 1024
UNSAMPLED = {
    "ratio": 0.01,
    "errors": True,
    "slow_request_ms": 2000,
    "rules": [{"name": "big", "when": "bytes >= 100MiB", "keep": "always"}],
}


def serve_collector(port: Any) -> None:
    """A real OTLP receiver until the process is ended."""
    from tests.servers.otlp_receiver import otlp_receiver

    with otlp_receiver("http/protobuf") as receiver:
        port.send(receiver.port)
        while True:
            time.sleep(1)
            receiver.requests.clear()


def configure(folder: Path, port: int, sampling: Mapping[str, Any]) -> None:
    config = {
        "security": {"secret_keys": [uuid.uuid4().hex * 2]},
        "database": {"url": f"sqlite:///{folder}/db.sqlite3"},
        "storages": {"disk": {"backend": "filesystem", "location": str(folder / "objects")}},
        "access_keys": [{"access_key_id": KEY_ID, "secret_access_key": SECRET, "principal": "overhead"}],
        "buckets": [{"name": "files", "storage": "disk"}],
        "tracing": {
            "otlp": {"endpoint": f"http://127.0.0.1:{port}", "protocol": "http/protobuf"},
            "spool": {"max_bytes": 0},
            "sampling": dict(sampling),
        },
        "logging": {"console": False},
    }
    file = folder / "config.yaml"
    file.write_text(json.dumps(config))
    os.environ |= {
        "MIZUCHI_CONFIG": str(file),
        "MIZUCHI_VAR": str(folder / "var"),
        "DJANGO_SETTINGS_MODULE": "mizuchi_site.settings",
    }


class Application:
    """The application of a worker, with and without tracing."""

    def __init__(self, *, records_only: bool) -> None:
        import django

        django.setup(set_prefix=False)
        from django.core.management import call_command

        call_command("migrate", verbosity=0, interactive=False)
        from mizuchi_site import wsgi
        from mizuchi_site.front_door import LeanHandler
        from tracing_app.middleware import TraceMiddleware
        from uploads.views import S3View

        untraced = partial(TraceMiddleware, tracer=None)
        self._on = wsgi.application
        self._off = copy.copy(self._on)
        self._off._s3 = LeanHandler(S3View.as_view(), "{bucket}/{key}", untraced)
        assert wsgi.tracing is not None
        if records_only:
            wsgi.tracing.sampler._sink = _Nowhere()
        from tracing_app.recording.stage import INSTRUMENTS

        self._instruments = INSTRUMENTS
        self._tracer, self._redactor = INSTRUMENTS.tracer, INSTRUMENTS.redactor

    def run(self, environs: Iterable[dict[str, Any]], *, traced: bool) -> None:
        self._instruments.tracer = self._tracer if traced else None
        self._instruments.redactor = self._redactor if traced else None
        application = self._on if traced else self._off
        for environ in environs:
            status: list[str] = []
            answer = application(environ, partial(_note, status))
            list(answer)
            answer.close()  # type: ignore[attr-defined]
            assert status[0].startswith("200"), status


def _note(status: list[str], line: str, headers: object, info: object = None) -> None:
    status.append(line)


class _Nowhere:
    def offer(self, trace: object) -> None:
        """Throw it away."""


def environ_of(signer: Signer) -> dict[str, Any]:
    path = f"/files/overhead/{uuid.uuid4().hex}"
    request = signer.sign(Request("PUT", path, "", (("Host", "h"), ("Content-Length", "1024")), BODY))
    environ: dict[str, Any] = {
        "REQUEST_METHOD": "PUT",
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "SERVER_NAME": "h",
        "SERVER_PORT": "80",
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(BODY),
        "wsgi.errors": sys.stderr,
        "mizuchi.headers": (),
    }
    for name, value in request.headers:
        key = name.upper().replace("-", "_")
        environ[key if key in ("CONTENT_LENGTH", "CONTENT_TYPE") else f"HTTP_{key}"] = value
    return environ


def measure(application: Application, rounds: int, requests: int) -> tuple[list[float], list[float]]:
    """Microseconds of CPU a request, off and on, round by round; the first round is not counted."""
    signer = Signer(KEY_ID, SECRET)
    found: dict[bool, list[float]] = {False: [], True: []}
    for number in range(rounds + 1):
        for traced in (False, True) if number % 2 else (True, False):
            environs = [environ_of(signer) for _ in range(requests)]
            began = time.process_time()
            application.run(environs, traced=traced)
            if number:
                found[traced].append((time.process_time() - began) / requests * 1e6)
    return found[False], found[True]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mode", choices=["null", "unsampled", "export"], default="export")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--requests", type=int, default=200)
    options = parser.parse_args()
    ours, theirs = multiprocessing.Pipe()
    spawned = multiprocessing.get_context("spawn")
    collector = spawned.Process(target=serve_collector, args=(theirs,), daemon=True)
    collector.start()
    folder = Path(tempfile.mkdtemp(dir="/dev/shm"))
    try:
        configure(folder, ours.recv(), UNSAMPLED if options.mode == "unsampled" else {})
        application = Application(records_only=options.mode == "null")
        off, on = measure(application, options.rounds, options.requests)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        collector.kill()
    ratios = sorted(b / a for a, b in zip(off, on, strict=True))
    quarter = len(ratios) // 4
    print(
        f"{options.mode}: off {statistics.median(off):.0f} us, on {statistics.median(on):.0f} us, ratio "
        f"{statistics.median(ratios):.3f} (quartiles {ratios[quarter]:.3f} to {ratios[-1 - quarter]:.3f})"
    )


if __name__ == "__main__":
    main()
