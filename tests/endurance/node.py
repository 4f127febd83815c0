"""A gateway of a test's own, that it may kill, stop and start again."""

from __future__ import annotations

import json
import os
import re
import secrets
import signal
import sqlite3
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg

from tests.e2e.gateway import SERVE, is_ready, migrate, migrated_sqlite
from tests.servers.process import ServerFailed, free_ports, last_lines

ACCESS_KEY_ID = "AKENDURANCE"
READY_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Upstream:
    """The bucket of an S3 server that the gateway's bucket ``seaweed`` leads to."""

    endpoint: str
    bucket: str
    access_key: str
    secret_key: str = field(repr=False)
    region: str = "us-east-1"


@dataclass(frozen=True, slots=True)
class Record:
    """An upload record, as the database has it. ``worker`` is the process id in its worker's name."""

    bucket: str
    key: str
    method: str
    state: str
    error_code: str
    size: int | None
    worker: int


@dataclass(slots=True)
class Node:
    """A gateway with the buckets ``files`` (a folder) and, with an upstream, ``seaweed``.

    A node with the ``database_url`` and ``secret_key`` of another one is a second node of the same gateway.
    ``sections`` are more of the configuration; ``run_by`` is a command that runs the gateway's own.
    """

    folder: Path
    upstream: Upstream | None = None
    server: dict[str, Any] = field(default_factory=dict)
    database_url: str = ""
    secret_key: str = field(default_factory=lambda: secrets.token_hex(32), repr=False)
    secret_access_key: str = field(default_factory=lambda: secrets.token_hex(20), repr=False)
    environment: dict[str, str] = field(default_factory=dict)
    sections: dict[str, Any] = field(default_factory=dict)
    run_by: Sequence[str] = ()
    port: int = 0
    process: subprocess.Popen[bytes] | None = None

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.port,) = free_ports(1)
        self.database_url = self.database_url or f"sqlite:///{self.folder / 'gateway.sqlite3'}"
        self.configure()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def objects(self) -> Path:
        return self.folder / "objects" / "files"

    @property
    def scratch(self) -> Path:
        return self.folder / "objects" / ".mizuchi" / "tmp"

    @property
    def log(self) -> Path:
        return self.folder / "gateway.log"

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def configure(self) -> None:
        """Write the configuration: after a change of ``sections``, for the next start."""
        (self.folder / "config.yaml").write_text(json.dumps({**self._configuration(), **self.sections}))

    def make_tables(self) -> None:
        """Unless another node has: a file is a copy of the one that was migrated once."""
        url = urlsplit(self.database_url)
        if url.scheme == "sqlite":
            file = Path(url.path[1:])
            if not file.exists():
                file.write_bytes(migrated_sqlite())
        elif self._select("SELECT to_regclass('django_migrations')") == [(None,)]:
            migrate(self._environment())

    def start(self) -> None:
        """Start and wait until it is ready; the log goes on where it was."""
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                [*self.run_by, *SERVE],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, **self._environment()},
            )
        self.wait(lambda: self.has_ended() or is_ready(self.port), "ready", READY_SECONDS)
        if self.has_ended():
            raise ServerFailed(f"the gateway ended:\n{last_lines(self.log)}")

    def has_ended(self) -> bool:
        """Whether its main process is gone, or never was there."""
        return self.process is None or self.process.poll() is not None

    def stop(self, seconds: float = 20) -> tuple[int, float]:
        """SIGTERM; the exit code and how long the end took."""
        assert self.process is not None
        began = time.monotonic()
        self.process.terminate()
        return self.process.wait(seconds), time.monotonic() - began

    def kill(self) -> None:
        """SIGKILL the main process; returns when every process of the gateway is gone."""
        assert self.process is not None
        workers = self.workers()
        self.process.kill()
        self.process.wait()
        self.wait(lambda: not any(is_running(pid) for pid in workers), "gone")

    def workers(self) -> list[int]:
        """Process ids of the workers that run now."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children")
        return [int(pid) for pid in children.read_text().split()]

    def kill_worker(self, pid: int) -> None:
        os.kill(pid, signal.SIGKILL)

    def wait_until_replaced(self, pid: int, count: int) -> None:
        """Until ``pid`` is gone and ``count`` workers serve."""
        self.wait(
            lambda: len({*self._ready_workers()} & {*self.workers()} - {pid}) == count,
            "replaced",
            READY_SECONDS,
        )

    def _ready_workers(self) -> list[int]:
        return [int(pid) for pid in re.findall(r"Worker \d+ ready \(pid (\d+)\)", self.log.read_text())]

    def wait(self, is_so: Callable[[], bool], what: str, seconds: float = 20) -> None:
        deadline = time.monotonic() + seconds
        while not is_so():
            if time.monotonic() > deadline:
                raise AssertionError(f"not {what} after {seconds:g} s:\n{last_lines(self.log)}")
            time.sleep(0.02)

    def metrics(self) -> str:
        """What ``/metrics`` says."""
        with urllib.request.urlopen(f"{self.endpoint}/metrics", timeout=10) as answer:
            return str(answer.read(), "utf-8")

    def records(self) -> list[Record]:
        """All upload records, oldest first."""
        columns = "bucket, key, method, state, error_code, size, worker"
        query = f"SELECT {columns} FROM uploads_uploadrecord ORDER BY id"
        return [Record(*row[:-1], worker=int(row[-1].split(":")[1])) for row in self._select(query)]

    def _select(self, query: str) -> list[tuple[Any, ...]]:
        url = urlsplit(self.database_url)
        if url.scheme == "sqlite":
            with closing(sqlite3.connect(f"file:{url.path[1:]}?mode=ro", uri=True, timeout=20)) as database:
                return database.execute(query).fetchall()
        with psycopg.connect(self.database_url) as connection:
            return connection.execute(query.encode()).fetchall()

    def _environment(self) -> dict[str, str]:
        return {
            # pytest-django names the settings of the tests, which know no configuration.
            "DJANGO_SETTINGS_MODULE": "mizuchi_site.settings",
            **self.environment,
            "MIZUCHI_CONFIG": str(self.folder / "config.yaml"),
            "MIZUCHI_VAR": str(self.folder / "var"),
        }

    def _configuration(self) -> dict[str, Any]:
        storages: dict[str, Any] = {"disk": {"backend": "filesystem", "location": str(self.objects.parent)}}
        buckets = [{"name": "files", "storage": "disk"}]
        if upstream := self.upstream:
            storages["upstream"] = {
                "backend": "s3",
                "endpoint": upstream.endpoint,
                "region": upstream.region,
                "access_key": upstream.access_key,
                "secret_key": upstream.secret_key,
            }
            buckets.append({"name": "seaweed", "storage": "upstream", "target": upstream.bucket})
        return {
            "server": {"bind": f"127.0.0.1:{self.port}", "workers": 2, "threads": 16, **self.server},
            "security": {"secret_keys": [self.secret_key]},
            "database": {"url": self.database_url},
            "storages": storages,
            "access_keys": [
                {
                    "access_key_id": ACCESS_KEY_ID,
                    "secret_access_key": self.secret_access_key,
                    "principal": "endurance",
                }
            ],
            "buckets": buckets,
        }


@contextmanager
def running_node(node: Node) -> Iterator[Node]:
    """Serve on a database with our tables; whatever remains at the end of the block is killed."""
    node.make_tables()
    try:
        node.start()
        yield node
    finally:
        if not node.has_ended():
            node.kill()


def is_running(pid: int) -> bool:
    """False for a process that is gone, or ended and not yet waited for."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
