"""Two nodes share what they count and how they are through PostgreSQL, and a stop loses nothing of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.gateway import MANAGE
from tests.endurance.node import Node, running_node
from tests.endurance.retrying import client_of
from tests.servers.postgres import Postgres

pytestmark = pytest.mark.slow

PASSWORD = "a password of the tests"


class Operator:
    """Somebody who asks the REST API of a node."""

    def __init__(self, node: Node) -> None:
        self._node = node
        command = [sys.executable, str(MANAGE), "createsuperuser", "--noinput"]
        login = {"DJANGO_SUPERUSER_USERNAME": "olga", "DJANGO_SUPERUSER_EMAIL": "o@example.org"}
        environment = {**os.environ, **node._environment(), **login, "DJANGO_SUPERUSER_PASSWORD": PASSWORD}
        subprocess.run(command, env=environment, check=True, capture_output=True)
        body = json.dumps({"username": "olga", "password": PASSWORD}).encode()
        self._token = self._call("token/", body, {"Content-Type": "application/json"})["access"]

    def status(self) -> dict[str, Any]:
        return self._call("status/?window=15m", None, {"Authorization": f"Bearer {self._token}"})

    def _call(self, path: str, body: bytes | None, headers: dict[str, str]) -> dict[str, Any]:
        request = urllib.request.Request(f"{self._node.endpoint}/api/v1/{path}", body, headers)
        with urllib.request.urlopen(request) as answer:
            told: dict[str, Any] = json.load(answer)
            return told


def test_two_nodes_are_one_status(tmp_path: Path, postgres: Postgres) -> None:
    first = Node(tmp_path / "first", database_url=postgres.create_database())
    second = Node(
        tmp_path / "second",
        database_url=first.database_url,
        secret_key=first.secret_key,
        secret_access_key=first.secret_access_key,
    )
    with running_node(first), running_node(second):
        operator = Operator(first)
        first.wait(lambda: len(operator.status()["workers"]) == 4, "told by the workers of both", 30)
        for node, count in ((first, 3), (second, 5)):
            for number in range(count):
                answer = client_of(node).put(f"/files/{node.port}-{number}", [b"content"], 7)
                assert answer.status == 200
        assert client_of(second).call("HEAD", "/files/missing").status == 404
        pids = set(second.workers())
        assert second.stop()[0] == 0

        first.wait(lambda: operator.status()["figures"]["requests"] == 9, "told what was counted", 30)
        told = operator.status()
        figures = told["figures"]
        assert (figures["uploads"], figures["client_errors"], figures["bytes_received"]) == (8, 1, 56)
        (bucket,) = told["buckets"]
        assert (bucket["bucket"], bucket["figures"]["requests"]) == ("files", 9)
        assert 0 < figures["p50_ms"] <= figures["p99_ms"]
        assert not {worker["pid"] for worker in told["workers"]} & pids, "they said goodbye"
        assert {worker["pid"] for worker in told["workers"]} == set(first.workers())
        assert all(0 <= worker["silent_seconds"] < 20 for worker in told["workers"])
        assert {check["status"] for check in told["checks"]} == {"ok"}
