"""Records of small objects, which are written once: what was answered is recorded, whatever happens then."""

from __future__ import annotations

import http.client
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from tests.endurance.node import Node, running_node
from tests.endurance.retrying import client_of
from tests.servers.postgres import Postgres

pytestmark = pytest.mark.slow

CLIENTS = 8
LONG_ENOUGH = 40


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def kept_node(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    url = ""
    if request.param == "postgres":
        postgres: Postgres = request.getfixturevalue("postgres")
        url = postgres.create_database()
    with running_node(Node(tmp_path_factory.mktemp("node"), database_url=url)) as running:
        yield running


@pytest.fixture
def node(kept_node: Node) -> Node:
    """Running, whatever the test before has done to it."""
    if kept_node.has_ended():
        kept_node.start()
    return kept_node


class Load:
    """Clients that put one small object after the other until the gateway is gone, below ``folder``."""

    def __init__(self, node: Node, folder: str) -> None:
        self.answered: list[str] = []
        self._folder = folder
        self._node = node
        self._pool = ThreadPoolExecutor(CLIENTS)
        self._running = [self._pool.submit(self._put_on, client) for client in range(CLIENTS)]

    def wait(self) -> None:
        """Until it is in full swing."""
        self._node.wait(lambda: len(self.answered) >= LONG_ENOUGH, "answered")

    def end(self) -> None:
        """When the gateway is gone."""
        for each in self._running:
            each.result(30)
        self._pool.shutdown()

    def _put_on(self, number: int) -> None:
        client = client_of(self._node)
        for nth in range(100_000):
            key = f"{self._folder}/{number}-{nth}"
            try:
                answer = client.put(f"/files/{key}", [b"small"], 5)
            except (OSError, http.client.HTTPException):
                return
            if answer.status != 200:
                return
            self.answered.append(key)


def stored_times(node: Node) -> Counter[str]:
    """How many STORED records each key has."""
    return Counter(record.key for record in node.records() if record.state == "STORED")


def test_what_was_answered_is_recorded_once_when_all_is_killed(node: Node) -> None:
    load = Load(node, "killed")
    load.wait()
    node.kill()
    load.end()

    times = stored_times(node)
    assert [key for key in load.answered if times[key] != 1] == []
    assert set(times.values()) == {1}
    node.start()
    assert {record.state for record in node.records()} == {"STORED"}
    assert client_of(node).call("HEAD", f"/files/{load.answered[-1]}").status == 200


def test_a_receipt_is_there_at_once_on_every_worker(node: Node) -> None:
    """Each request has a connection of its own, which either worker may take."""
    for number in range(30):
        stored = client_of(node).put(f"/files/receipt/{number}", [b"small"], 5)
        receipt = client_of(node).call("HEAD", f"/files/receipt/{number}")
        assert (stored.status, receipt.status, receipt.etag) == (200, 200, stored.etag)


def test_a_small_object_that_takes_long_is_seen_and_recorded_once(node: Node) -> None:
    def records() -> list[tuple[str, int | None]]:
        return [(record.state, record.size) for record in node.records() if record.key == "slow"]

    with client_of(node).begin("PUT", "/files/slow", length=5) as sending:
        sending.send(b"smal")
        began = time.monotonic()
        node.wait(lambda: records() != [], "recorded")
        assert time.monotonic() - began < 4.0, "a second, and what a busy machine takes"
        assert [state for state, _ in records()] == ["RECEIVING"]
        sending.send(b"l")
        assert sending.answer().status == 200
    assert records() == [("STORED", 5)]


def test_what_was_answered_is_recorded_when_the_gateway_ends(node: Node) -> None:
    load = Load(node, "ended")
    load.wait()
    code, _ = node.stop()
    load.end()

    assert code == 0
    times = stored_times(node)
    assert [key for key in load.answered if times[key] != 1] == []
    assert {record.state for record in node.records()} == {"STORED"}


def test_a_database_that_is_locked_costs_no_upload_and_no_record(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'gateway.sqlite3'}?timeout=1"
    with running_node(Node(tmp_path, database_url=url, server={"workers": 1})) as node:
        client = client_of(node)
        assert client.put("/files/before", [b"small"], 5).status == 200
        with closing(sqlite3.connect(tmp_path / "gateway.sqlite3", timeout=10)) as database:
            database.execute("BEGIN IMMEDIATE")
            assert client.put("/files/caught", [b"small"], 5).status == 200, "it was stored by then"
            with client.begin("PUT", "/files/refused", length=5) as sending:
                assert sending.answer().status == 503, "before the first byte"
            database.rollback()
        node.wait(lambda: stored_times(node)["caught"] == 1, "recorded late")
        assert client.put("/files/after", [b"small"], 5).status == 200
    assert [(record.key, record.state) for record in node.records()] == [
        ("before", "STORED"),
        ("caught", "STORED"),
        ("after", "STORED"),
    ]


def test_records_that_are_late_are_written_when_the_gateway_ends(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'gateway.sqlite3'}?timeout=2"
    with running_node(Node(tmp_path, database_url=url, server={"workers": 1})) as node:
        with closing(
            sqlite3.connect(tmp_path / "gateway.sqlite3", timeout=10, check_same_thread=False)
        ) as database:
            database.execute("BEGIN IMMEDIATE")
            assert client_of(node).put("/files/late", [b"small"], 5).status == 200
            timer = threading.Timer(0.5, database.rollback)
            timer.start()
            code, _ = node.stop()
            timer.join()
        assert code == 0
    assert [(record.key, record.state) for record in node.records()] == [("late", "STORED")]
