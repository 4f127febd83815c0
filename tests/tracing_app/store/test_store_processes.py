"""Four workers write the store and one reads it, as processes; some are killed in the middle."""

from __future__ import annotations

import ast
import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg
import pytest

from tests.e2e.gateway import migrate
from tests.servers.postgres import Postgres
from tests.tracing_app.exporting.export_setup import until

PROGRAM = Path(__file__).with_name("store_program.py")
BUCKETS = ("one", "two", "three", "four")
AT_ONCE = 6
MAX_TRACES = 300


class Site:
    """A store, in a file in this folder or in the main database, and processes that use it."""

    def __init__(self, folder: Path, database_url: str = "") -> None:
        self.store = folder / "traces.sqlite3"
        self.database_url = database_url
        self.environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "mizuchi_site.settings",
            "MIZUCHI_CONFIG": "",
            "MIZUCHI_VAR": str(folder),
        }
        if database_url:
            config = {"database": {"url": database_url}, "tracing": {"local_store": {"path": None}}}
            (folder / "config.yaml").write_text(json.dumps(config))
            self.environment["MIZUCHI_CONFIG"] = str(folder / "config.yaml")
            migrate(self.environment)

    def start(self, mode: str, max_traces: int, max_age_hours: int) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, str(PROGRAM), mode, str(max_traces), str(max_age_hours)],
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def go_on(self, max_traces: int, max_age_hours: int) -> dict[str, int]:
        """Another process saves a request, ``next``; how many there are of each bucket, all decoded."""
        out, err = self.start("go-on", max_traces, max_age_hours).communicate(timeout=60)
        assert out, err
        found: dict[str, int] = ast.literal_eval(out)
        return found

    def is_whole(self) -> bool:
        with closing(sqlite3.connect(self.store)) as database:
            return database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]

    def count(self) -> int:
        query = "SELECT count(*) FROM trace_store_storedtrace"
        if self.database_url:
            with psycopg.connect(self.database_url) as connection:
                return int(connection.execute(query).fetchall()[0][0])
        with closing(sqlite3.connect(self.store, timeout=20)) as database:
            return int(database.execute(query).fetchall()[0][0])


class Several:
    """A reader and four writers that have begun."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.pids: list[int] = []
        self.saved = dict.fromkeys(BUCKETS, 0)
        self.opened = 0
        self._listener = threading.Thread(target=self._listen)
        self._listener.start()
        until(lambda: self.pids and all(self.saved.values()), 60)

    def _listen(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            match line.split():
                case ["pids", *pids]:
                    self.pids = [int(pid) for pid in pids]
                case ["opened", number]:
                    self.opened = int(number)
                case [bucket, number]:
                    self.saved[bucket] = int(number)

    def end(self) -> None:
        """Let them end by themselves. None of them may have failed."""
        assert self.process.stdin
        assert self.process.stderr
        self.process.stdin.close()
        err = self.process.stderr.read()
        assert self.process.wait(60) == 0, err
        self._listener.join()


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


@pytest.fixture
def shared_site(tmp_path: Path, postgres: Postgres) -> Site:
    return Site(tmp_path, postgres.create_database())


@contextmanager
def several(site: Site, max_traces: int, max_age_hours: int) -> Iterator[Several]:
    with site.start("several", max_traces, max_age_hours) as process:
        running = Several(process)
        try:
            yield running
        finally:
            running.end()


def check_under_load(site: Site) -> None:
    """Writers and a reader at once: none of them fails, and there are never too many traces."""
    seen = []
    with several(site, MAX_TRACES, 1) as running:
        ends = time.monotonic() + 60
        while sum(running.saved.values()) < 5 * MAX_TRACES:
            assert time.monotonic() < ends
            seen.append(site.count())
            time.sleep(0.01)

    assert running.opened
    assert max(seen) <= MAX_TRACES + len(BUCKETS) * (MAX_TRACES // 20 + AT_ONCE)
    kept = site.go_on(MAX_TRACES, 1)
    assert MAX_TRACES / 2 < sum(kept.values()) <= MAX_TRACES
    assert kept["next"] == 1
    assert "old" not in kept


def test_writers_and_a_reader_keep_out_of_each_others_way(site: Site) -> None:
    check_under_load(site)
    assert site.is_whole()


def test_they_do_so_in_the_main_database(shared_site: Site) -> None:
    check_under_load(shared_site)


def test_writers_that_are_killed_leave_a_whole_store(site: Site) -> None:
    with several(site, 1_000_000, 1000) as running:
        until(lambda: min(running.saved.values()) > 10 * AT_ONCE, 60)
        for pid in running.pids:
            os.kill(pid, signal.SIGKILL)

    assert site.is_whole()
    kept = site.go_on(1_000_000, 1000)
    assert kept["next"] == 1
    for bucket, told in running.saved.items():
        assert kept[bucket] in (told, told + AT_ONCE - 1), "all that was told, and nothing in part"
