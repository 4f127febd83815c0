"""A gateway of a benchmark's own: real processes, a folder that is thrown away."""

from __future__ import annotations

import http.client
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .failures import BenchmarkFailed
from .processes import children_of

MANAGE = Path(__file__).resolve().parents[2] / "manage.py"
# Without the checks of the configuration, which is known to be right: they are half of a start.
_SERVE = (sys.executable, str(MANAGE), "serve", "--skip-checks")
BUCKET = "bench"
DATABASE = "gateway.sqlite3"
_ACCESS_KEY_ID = "AKBENCH"
_FOREIGN = ("OTEL_", "MIZUCHI_")  # what would change what is measured
_READY_SECONDS = 60.0
_STOP_SECONDS = 15.0
_PORTS = 12_000


class ServerFailed(BenchmarkFailed):
    """A process that a benchmark needs did not come up."""


@dataclass(frozen=True, slots=True)
class Server:
    """A running gateway with one bucket."""

    host: str
    port: int
    access_key_id: str
    secret_access_key: str = field(repr=False)
    process: subprocess.Popen[bytes] = field(repr=False)

    @property
    def pids(self) -> list[int]:
        """Its main process and its workers."""
        return [self.process.pid, *self.workers]

    @property
    def workers(self) -> list[int]:
        return children_of(self.process.pid)


@dataclass(frozen=True, slots=True)
class Shared:
    """What the nodes of one gateway have in common."""

    database_url: str = field(repr=False)
    secret_key: str = field(default_factory=lambda: secrets.token_hex(32), repr=False)
    secret_access_key: str = field(default_factory=lambda: secrets.token_hex(20), repr=False)

    def sections(self) -> dict[str, Any]:
        """The same in the configuration of each."""
        key = {"access_key_id": _ACCESS_KEY_ID, "secret_access_key": self.secret_access_key}
        return {
            "security": {"secret_keys": [self.secret_key]},
            "database": {"url": self.database_url},
            "access_keys": [{**key, "principal": "bench"}],
        }


@contextmanager
def running_server(
    folder: Path,
    *,
    sections: Mapping[str, Any] | None = None,
    server: Mapping[str, Any] | None = None,
    storage: Mapping[str, Any] | None = None,
    launcher: Sequence[str] = (),
    start_seconds: float = _READY_SECONDS,
    shared: Shared | None = None,
) -> Iterator[Server]:
    """Serve from ``folder`` until the block ends, with one worker unless ``server`` says otherwise.
    ``sections`` are more of the configuration, ``launcher`` is a command that runs the server's; ``shared``
    makes it a node of several, otherwise it has a SQLite database of its own. Raises ServerFailed."""
    folder.mkdir(parents=True)
    port, database = free_port(), folder / DATABASE
    common = shared or Shared(f"sqlite:///{database}")
    document = {
        "server": {"bind": f"127.0.0.1:{port}", "workers": 1, **(server or {})},
        "storages": {"store": storage or {"backend": "filesystem", "location": str(folder / "objects")}},
        "buckets": [{"name": BUCKET, "storage": "store"}],
        **common.sections(),
        **(sections or {}),
    }
    file = folder / "config.yaml"
    file.write_text(json.dumps(document))
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)},
        "DJANGO_SETTINGS_MODULE": "mizuchi_site.settings",
        "MIZUCHI_CONFIG": str(file),
        "MIZUCHI_VAR": str(folder / "var"),
    }
    log = folder / "log"
    if shared is None:
        _migrate_copy(database, environment, log)
    else:
        _migrate(environment, log)
    with log.open("ab") as output:
        process = subprocess.Popen(  # noqa: S603 - our own program
            [*launcher, *_SERVE], env=environment, stdout=output, stderr=output
        )
    try:
        _wait_until_ready(process, port, log, start_seconds)
        yield Server("127.0.0.1", port, _ACCESS_KEY_ID, common.secret_access_key, process)
    finally:
        stop(process)


def _migrate_copy(database: Path, environment: Mapping[str, str], log: Path) -> None:
    """With a copy of what was made for the first server beside it. Raises ServerFailed."""
    made = database.parent.with_name(f"migrated-{DATABASE}")
    if not made.exists():
        _migrate(environment, log)
        database.rename(made)
    shutil.copyfile(made, database)


def _migrate(environment: Mapping[str, str], log: Path) -> None:
    with log.open("ab") as output:
        migrated = subprocess.run(  # noqa: S603 - our own program
            [sys.executable, str(MANAGE), "migrate", "-v", "0"],
            env=environment,
            stdout=output,
            stderr=output,
        )
    if migrated.returncode:
        raise ServerFailed(log.read_text(errors="replace")[-2000:])


def free_port() -> int:
    """A loopback port that nobody listens on, of those that the kernel gives to no outgoing connection."""
    lowest = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    while True:
        port = secrets.choice(range(lowest - _PORTS, lowest))
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def stop(process: subprocess.Popen[bytes]) -> None:
    """Ask a process to end at once (SIGINT), and end it when it does not."""
    process.send_signal(signal.SIGINT)
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _wait_until_ready(process: subprocess.Popen[bytes], port: int, log: Path, start_seconds: float) -> None:
    deadline = time.monotonic() + start_seconds
    while time.monotonic() < deadline and process.poll() is None:
        if _is_ready(port):
            return
        time.sleep(0.1)
    raise ServerFailed(f"the gateway is not ready:\n{log.read_text(errors='replace')[-2000:]}")


def _is_ready(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()
