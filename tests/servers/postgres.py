"""PostgreSQL as a server of the tests (``initdb`` and ``postgres`` of Debian's package postgresql)."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from .process import ServerFailed, free_ports, needs_server, running_server

SUPERUSER = "tests"
UNPRIVILEGED = "nobody"
# Nothing has to survive a power cut here.
OPTIONS = ("fsync=off", "full_page_writes=off", "synchronous_commit=off", "max_connections=300")


@dataclass(frozen=True)
class Postgres:
    """A server that trusts everyone on the loopback address."""

    port: int

    def url(self, database: str) -> str:
        return f"postgres://{SUPERUSER}@127.0.0.1:{self.port}/{database}"

    def create_database(self) -> str:
        """Make a database of its own; returns its URL."""
        name = f"test_{uuid.uuid4().hex[:12]}"
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"'.encode())
        return self.url(name)

    def is_ready(self) -> bool:
        try:
            psycopg.connect(self.url("postgres"), connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True


@contextmanager
def running_postgres() -> Iterator[Postgres]:
    """A server with a new, empty cluster, ended with the block. Raises ServerFailed."""
    initdb, postgres = (_program(name) for name in ("initdb", "postgres"))
    # Not below pytest's folder, which only its owner may enter.
    home = Path(tempfile.mkdtemp(prefix="mizuchi-postgres-"))
    try:
        data = home / "data"
        data.mkdir()
        if os.geteuid() == 0:
            nobody = pwd.getpwnam(UNPRIVILEGED)
            for path in (home, data):
                os.chown(path, nobody.pw_uid, nobody.pw_gid)
        _run([*_unprivileged(), initdb, "-D", data, "-U", SUPERUSER, "-A", "trust", "-E", "UTF8", "-N"])
        server = Postgres(*free_ports(1))
        command = [postgres, "-D", data, "-h", "127.0.0.1", "-p", str(server.port), "-k", home]
        settings = [word for option in OPTIONS for word in ("-c", option)]
        with running_server(
            [*_unprivileged(), *command, *settings],
            log=home / "log",
            is_ready=server.is_ready,
            stop_seconds=3,
        ):
            yield server
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _program(name: str) -> Path:
    """Debian keeps the server's programs out of PATH, in a folder for each version."""
    versions = Path("/usr/lib/postgresql").glob(f"*/bin/{name}")
    newest = max(versions, default=None, key=lambda path: float(path.parts[-3]))
    return newest or needs_server(name)


def _run(command: Sequence[str | Path]) -> None:
    ended = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
    if ended.returncode:
        raise ServerFailed(f"{command!r} ended with {ended.returncode}:\n{ended.stdout}{ended.stderr}")


def _unprivileged() -> Sequence[str]:
    """What comes before a command that refuses to run as root."""
    if os.geteuid() != 0:
        return ()
    user = pwd.getpwnam(UNPRIVILEGED)
    return ("setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups")
