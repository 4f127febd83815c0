"""PostgreSQL in a folder that is thrown away (``initdb`` and ``postgres`` of Debian's package postgresql)."""

from __future__ import annotations

import os
import pwd
import re
import shutil
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from .processes import children_of
from .room import MEMORY_FOLDER
from .server import ServerFailed, free_port, stop

_SUPERUSER = "mizuchi"
_UNPRIVILEGED = "nobody"
# Nothing has to survive a power cut here; each thread of a gateway keeps a connection.
_OPTIONS = (
    "fsync=off",
    "full_page_writes=off",
    "synchronous_commit=off",
    "autovacuum=off",
    "max_connections=300",
)
_READY_SECONDS = 60.0


@dataclass(slots=True)
class Postgres:
    """A server with a cluster of its own, that trusts everyone on the loopback address."""

    home: Path
    port: int
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def pids(self) -> Sequence[int]:
        """Its main process, and one for each connection and chore."""
        return [] if self.process is None else [self.process.pid, *children_of(self.process.pid)]

    def url(self, database: str) -> str:
        return f"postgres://{_SUPERUSER}@127.0.0.1:{self.port}/{database}"

    def create_database(self) -> str:
        """Make a database of its own; returns its URL."""
        name = f"mizuchi_{uuid.uuid4().hex[:12]}"
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"'.encode())
        return self.url(name)

    def start(self) -> None:
        """Serve what is in the cluster; returns once it answers. Raises ServerFailed."""
        words = [word for option in _OPTIONS for word in ("-c", option)]
        command = [_needed("postgres"), "-D", self.home / "data", "-k", self.home]
        address = ["-h", "127.0.0.1", "-p", str(self.port)]
        log = self.home / "log"
        with log.open("ab") as output:
            self.process = subprocess.Popen(  # noqa: S603 - the one that is installed
                [*_unprivileged(), *map(str, command), *address, *words],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=self.home,
            )
        deadline = time.monotonic() + _READY_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            if self._is_ready():
                return
            time.sleep(0.1)
        raise ServerFailed(f"PostgreSQL is not ready:\n{log.read_text(errors='replace')[-2000:]}")

    def stop(self) -> None:
        """End its connections and itself; what is stored stays for another start."""
        if self.process is not None:
            stop(self.process)
            self.process = None

    def _is_ready(self) -> bool:
        try:
            psycopg.connect(self.url("postgres"), connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True


def postgres_program(name: str = "postgres") -> Path | None:
    """The newest of the installed versions; Debian keeps them out of PATH. None when there is none."""
    versions = Path("/usr/lib/postgresql").glob(f"*/bin/{name}")
    return max(versions, default=None, key=lambda path: float(path.parts[-3]))


def postgres_version() -> str | None:
    """None when it is not installed."""
    program = postgres_program()
    if program is None:
        return None
    said = subprocess.run([program, "--version"], capture_output=True, text=True)  # noqa: S603
    return "".join(re.findall(r"\) (\S+)", said.stdout))


@contextmanager
def running_postgres(*, port: int | None = None) -> Iterator[Postgres]:
    """Serve a new, empty cluster until the block ends, on a free port unless one is given. Raises
    ServerFailed."""
    # A folder of its own: those of tests and benchmarks let nobody but their owner in.
    where = MEMORY_FOLDER if MEMORY_FOLDER.is_dir() else None
    home = Path(tempfile.mkdtemp(prefix="mizuchi-postgres-", dir=where))
    server = Postgres(home, port or free_port())
    try:
        _make_cluster(home)
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(home, ignore_errors=True)


def _make_cluster(home: Path) -> None:
    data = home / "data"
    data.mkdir()
    if os.geteuid() == 0:
        nobody = pwd.getpwnam(_UNPRIVILEGED)
        for path in (home, data):
            os.chown(path, nobody.pw_uid, nobody.pw_gid)
    command = [str(_needed("initdb")), "-D", str(data), "-U", _SUPERUSER, "-A", "trust", "-E", "UTF8", "-N"]
    made = subprocess.run(  # noqa: S603 - the one that is installed
        [*_unprivileged(), *command], capture_output=True, text=True, cwd=home
    )
    if made.returncode:
        raise ServerFailed(f"initdb ended with {made.returncode}:\n{made.stdout}{made.stderr}")


def _needed(name: str) -> Path:
    program = postgres_program(name)
    if program is None:
        raise ServerFailed(f"{name} is not installed")
    return program


def _unprivileged() -> Sequence[str]:
    """What comes before a command that refuses to run as root."""
    if os.geteuid() != 0:
        return ()
    user = pwd.getpwnam(_UNPRIVILEGED)
    return ("setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups")
