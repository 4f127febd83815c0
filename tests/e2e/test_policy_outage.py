"""With the engine stopped nobody gets in, quickly; with it back everybody does, without a restart."""

from __future__ import annotations

import http.client
import json
import signal
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.e2e.gateway import FILES, SEAWEED, Gateway, running_gateway
from tests.e2e.policy_site import wait_for
from tests.e2e.wire.client import Answer
from tests.e2e.wire.scene import Scene
from tests.servers.opa import Opa
from tests.servers.process import free_ports, running_server
from tests.servers.seaweedfs import SeaweedFS

GUARDED, FREE = FILES, SEAWEED
TIMEOUT_SECONDS = 1.5
FAILURES = 3
REGO = 'package mizuchi\n\ndefault allow := false\n\nallow if input.subject == "end-to-end"\n'


@dataclass
class Engine:
    """A real OPA that can be killed, stopped and started, always at the same address."""

    program: Path
    port: int
    folder: Path
    process: subprocess.Popen[bytes] | None = None
    _running: AbstractContextManager[subprocess.Popen[bytes]] | None = None

    def start(self) -> None:
        policy = self.folder / "mizuchi.rego"
        policy.write_text(REGO)
        self._running = running_server(
            [
                self.program,
                "run",
                "--server",
                "--addr",
                f"127.0.0.1:{self.port}",
                "--skip-version-check",
                policy,
            ],
            log=self.folder / "opa.log",
            is_ready=self._is_ready,
        )
        self.process = self._running.__enter__()

    def signal(self, number: signal.Signals) -> None:
        assert self.process
        self.process.send_signal(number)

    def end(self) -> None:
        if self._running:
            self.signal(signal.SIGKILL)
            self._running.__exit__(None, None, None)
        self._running = None

    def _is_ready(self) -> bool:
        with suppress(httpx.TransportError):
            return httpx.get(f"http://127.0.0.1:{self.port}/health").status_code == 200
        return False


@pytest.fixture(scope="module")
def running_engine(opa: Opa, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    engine = Engine(opa.program, free_ports(1)[0], tmp_path_factory.mktemp("opa-alone"))
    engine.start()
    yield engine
    engine.end()


@pytest.fixture(scope="module")
def gateway(
    running_engine: Engine, seaweedfs: SeaweedFS, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gateway]:
    authz = {
        "opa": {
            "url": f"http://127.0.0.1:{running_engine.port}",
            "timeout_seconds": TIMEOUT_SECONDS,
            "cache_ttl_seconds": 0,
        },
        "breaker": {"failures": FAILURES, "reset_seconds": 1},
    }
    buckets = [{"name": GUARDED, "storage": "disk", "authz": authz}, {"name": FREE, "storage": "disk"}]
    sections = {"server": {"workers": 1}, "buckets": buckets}
    with running_gateway(tmp_path_factory.mktemp("outage"), seaweedfs, sections) as gateway:
        yield gateway


@pytest.fixture
def engine(running_engine: Engine, gateway: Gateway) -> Engine:
    """Up, and known to be."""
    if running_engine._running is None:
        running_engine.start()
    wait_for(lambda: put(gateway).status == 200)
    return running_engine


def put(gateway: Gateway, bucket: str = GUARDED) -> Answer:
    scene = Scene(gateway, bucket)
    return scene.send(scene.owner.sign(scene.put()))


def refused_quickly(gateway: Gateway) -> bool:
    """Refused as it must be, within the timeout of an engine and some time for a busy machine."""
    began = time.monotonic()
    answer = put(gateway)
    assert (answer.status, answer.code) == (503, "ServiceUnavailable"), answer
    assert int(answer.headers["retry-after"]) > 0
    assert time.monotonic() - began < TIMEOUT_SECONDS + 2
    return True


def stored(gateway: Gateway) -> int:
    return sum(path.is_file() for path in (gateway.objects / GUARDED).rglob("*"))


def readiness(gateway: Gateway) -> tuple[int, str, str]:
    """Status of /readyz, what it says, and what it says of the policy engines."""
    connection = http.client.HTTPConnection(gateway.endpoint.removeprefix("http://"), timeout=10)
    connection.request("GET", "/readyz")
    answer = connection.getresponse()
    report = json.loads(answer.read())
    connection.close()
    return answer.status, report["status"], report["checks"]["policy engines"]["status"]


def test_killed_and_started_again(engine: Engine, gateway: Gateway) -> None:
    scene = Scene(gateway, GUARDED)
    upload = scene.upload()
    etag = scene.part(upload, 1)
    before, start = stored(gateway), gateway.log.stat().st_size
    engine.end()

    assert all(refused_quickly(gateway) for _ in range(20))
    for answer in (
        scene.call("PUT", f"partNumber=2&uploadId={upload}", b"x"),
        scene.send(scene.owner.sign(scene.completion(upload, [(1, etag)]))),
        scene.call("DELETE", f"uploadId={upload}"),
    ):
        assert answer.status == 503
    assert stored(gateway) == before, "zero uploads admitted"
    assert put(gateway, FREE).status == 200, "other buckets do not notice"
    assert readiness(gateway) == (200, "degraded", "degraded")

    engine.start()
    wait_for(lambda: put(gateway).status == 200)

    assert readiness(gateway)[1:] == ("ok", "ok")
    assert scene.send(scene.owner.sign(scene.completion(upload, [(1, etag)]))).status == 200
    with gateway.log.open("rb") as log:
        log.seek(start)
        lines = log.read().decode().splitlines()
    changes = [line.partition("opa ")[2] for line in lines if "authz.policy.shielded" in line]
    assert changes == [f"is left alone: 127.0.0.1:{engine.port} refuses connections", "answers again"]


def test_hanging_and_going_on(engine: Engine, gateway: Gateway) -> None:
    before = stored(gateway)
    engine.signal(signal.SIGSTOP)
    try:
        assert all(refused_quickly(gateway) for _ in range(FAILURES))
        began = time.monotonic()
        assert all(refused_quickly(gateway) for _ in range(5))
        # One of these may have been the one that tries it again, none waited besides.
        assert time.monotonic() - began < 2 * TIMEOUT_SECONDS + 2
    finally:
        engine.signal(signal.SIGCONT)

    assert stored(gateway) == before, "zero uploads admitted"
    wait_for(lambda: put(gateway).status == 200)


def test_killed_under_load(engine: Engine, gateway: Gateway) -> None:
    with ThreadPoolExecutor(6) as threads:
        assert {answer.status for answer in threads.map(lambda _: put(gateway), range(30))} == {200}
        engine.end()
        before = stored(gateway)
        statuses = [answer.status for answer in threads.map(lambda _: put(gateway), range(60))]

    assert set(statuses) == {503}
    assert stored(gateway) == before, "zero uploads admitted"
