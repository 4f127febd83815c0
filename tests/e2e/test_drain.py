"""SIGTERM while clients upload: what can finish does, what cannot leaves nothing behind."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.gateway import read_upstream
from tests.endurance.node import Node, Upstream, running_node
from tests.endurance.retrying import client_of
from tests.endurance.sending import Answer, Sending
from tests.servers.seaweedfs import SeaweedFS

pytestmark = pytest.mark.slow

BUCKETS = ("files", "seaweed")
CONTENT = bytes(range(256)) * 4096
PIECES = 20


@pytest.fixture
def new_node(tmp_path: Path, seaweedfs: SeaweedFS) -> Callable[..., Node]:
    def node(**server: Any) -> Node:
        bucket = seaweedfs.create_bucket("drain")
        upstream = Upstream(seaweedfs.endpoint, bucket, seaweedfs.access_key, seaweedfs.secret_key)
        return Node(tmp_path, upstream, server={"workers": 2, "threads": 8, **server})

    return node


class Trickle:
    """A PutObject that takes ``seconds``; ``answer`` is None when the connection broke instead."""

    def __init__(self, node: Node, bucket: str, seconds: float) -> None:
        self.answer: Answer | None = None
        self._seconds = seconds
        self._thread = threading.Thread(target=self._run, args=(client_of(node), bucket))
        self._thread.start()

    def wait(self) -> Answer | None:
        self._thread.join()
        return self.answer

    def _run(self, client: Any, bucket: str) -> None:
        with client.begin("PUT", f"/{bucket}/slow", length=len(CONTENT)) as sending:
            self._send(sending)
            try:
                self.answer = sending.answer()
            except (OSError, http.client.HTTPException):
                return

    def _send(self, sending: Sending) -> None:
        size = len(CONTENT) // PIECES + 1
        for start in range(0, len(CONTENT), size):
            try:
                sending.send(CONTENT[start : start + size])
            except OSError:
                return
            time.sleep(self._seconds / PIECES)


def readiness(node: Node) -> tuple[int, dict[str, Any]]:
    connection = http.client.HTTPConnection("127.0.0.1", node.port, timeout=5)
    try:
        connection.request("GET", "/readyz")
        response = connection.getresponse()
        return response.status, json.loads(response.read())
    finally:
        connection.close()


def begun(node: Node, seconds: float) -> list[Trickle]:
    """One upload to each bucket, on its way."""
    trickles = [Trickle(node, bucket, seconds) for bucket in BUCKETS]
    node.wait(lambda: len(node.records()) == len(BUCKETS), "recorded")
    return trickles


def test_slow_uploads_finish_while_the_gateway_drains(
    new_node: Callable[..., Node], seaweedfs: SeaweedFS
) -> None:
    with running_node(new_node(drain_seconds=20)) as node:
        trickles = begun(node, seconds=3)
        assert readiness(node)[0] == 200
        assert node.process is not None
        node.process.terminate()
        time.sleep(0.3)
        status, report = readiness(node)
        assert (status, report["checks"]["server"]["status"]) == (503, "failed")
        for trickle in trickles:
            answer = trickle.wait()
            assert answer is not None
            assert answer.status == 200
        assert node.process.wait(5) == 0
        assert [(r.state, r.size) for r in node.records()] == [("STORED", len(CONTENT))] * 2
        assert (node.objects / "slow").read_bytes() == CONTENT
        assert node.upstream is not None
        assert read_upstream(seaweedfs, node.upstream.bucket, "slow") == CONTENT


def test_uploads_that_outlast_the_drain_are_cut_and_leave_nothing(
    new_node: Callable[..., Node], seaweedfs: SeaweedFS
) -> None:
    with running_node(new_node(drain_seconds=2)) as node:
        trickles = begun(node, seconds=30)
        code, seconds = node.stop()
        assert code == 0
        assert 1.9 < seconds < 15, "cut, and not waited for"
        answers = [trickle.wait() for trickle in trickles]
        assert all(answer is None or answer.status == 400 for answer in answers), answers
        assert [(r.state, r.error_code) for r in node.records()] == [("FAILED", "IncompleteBody")] * 2
        assert list(node.objects.iterdir()) == []
        assert list(node.scratch.iterdir()) == []
        assert node.upstream is not None
        listed = seaweedfs.client.list_objects_v2(Bucket=node.upstream.bucket)
        assert listed.get("Contents", []) == []


def test_an_idle_gateway_ends_soon(new_node: Callable[..., Node]) -> None:
    """Also one that has served uploads and holds connections to its upstream and database. It takes 1.7 s
    on a quiet machine, of which it says for 1 s that it is not ready."""
    with running_node(new_node(drain_seconds=20)) as node:
        client = client_of(node)
        for bucket in BUCKETS:
            assert client.put(f"/{bucket}/one", [CONTENT], len(CONTENT)).status == 200
        code, seconds = node.stop()
        assert (code, seconds < 8) == (0, True), seconds
        assert {record.state for record in node.records()} == {"STORED"}
