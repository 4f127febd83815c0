"""Servers written in Go, built from the Go module proxy at the versions that ``go/NAME/go.mod`` pins.

One module for each: their dependencies do not go together (Jaeger needs the gobwas/glob of before, OPA
the one of after a breaking change). A build takes minutes the first time, so ``python -m
tests.servers.go_tools [NAME ...]`` begins before the tests do; programs are kept below ``.cache/servers``.

What takes longest to compile and no test reaches is replaced in ``go.mod`` by the little that the server
calls of it, ``go/NAME/without``: Kubernetes' client and SQLite in OpenFGA, Elasticsearch's and ClickHouse's
clients in Jaeger. Who asks a server for one of these is refused.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

MODULES = Path(__file__).resolve().parent / "go"
CACHE = Path(__file__).resolve().parents[2] / ".cache" / "servers"
NAMES = ("opa", "openfga", "jaeger")  # the quick ones first
BUILD_SECONDS = 1500
# Without inlining and debugging information: a third of the compiler's time, and nobody debugs these. The
# clients' minio-go is built alike, so what both need of the standard library is compiled once.
BUILD = ("go", "build", "-trimpath", "-ldflags=-s -w", "-gcflags=all=-l -dwarf=false")
ENVIRONMENT = {
    "CGO_ENABLED": "0",
    "GOFLAGS": "-mod=readonly -buildvcs=false",
    "GOTOOLCHAIN": "local",
    "GOWORK": "off",
}


class BuildFailed(Exception):
    """A server could not be built; the text says why."""


def built(name: str) -> Path:
    """The program of a server, built first when it is not there. Raises BuildFailed.

    One build at a time, whatever the number of processes: the others wait.
    """
    program = _program(name)
    if not program.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        with _alone():
            if not program.exists():
                _build(name, program)
    return program


def _program(name: str) -> Path:
    """Where the program of these very versions and sources is; a change of one is another program."""
    sources = sorted(path for path in (MODULES / name).rglob("*") if path.is_file())
    made_of = hashlib.sha256(" ".join(BUILD).encode())
    for path in sources:
        made_of.update(path.read_bytes())
    return CACHE / f"{name}-{made_of.hexdigest()[:16]}"


@contextmanager
def _alone() -> Iterator[None]:
    with (CACHE / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _build(name: str, program: Path) -> None:
    if shutil.which("go") is None:
        raise BuildFailed(f"{name} cannot be built: there is no go in PATH; install Go 1.26 or newer")
    with tempfile.TemporaryDirectory(dir=CACHE) as folder:
        fresh = Path(folder) / name
        _run(name, [*BUILD, "-o", str(fresh), "tool"])
        for old in CACHE.glob(f"{name}-*"):
            old.unlink()
        fresh.rename(program)


def _run(name: str, command: Sequence[str]) -> None:
    try:
        ended = subprocess.run(
            command,
            cwd=MODULES / name,
            env={**os.environ, **ENVIRONMENT},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=BUILD_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise BuildFailed(f"{name} was not built within {BUILD_SECONDS} s") from None
    if ended.returncode:
        raise BuildFailed(f"{name} was not built: {' '.join(command)}\n{ended.stdout}{ended.stderr}")


def main(names: Sequence[str]) -> int:
    """Builds the servers named, all when none is; 1 when one could not be built."""
    failures = 0
    for name in names or NAMES:
        began = time.monotonic()
        try:
            program = built(name)
        except BuildFailed as failed:
            failures += 1
            print(failed, file=sys.stderr)
        else:
            print(f"{name} {time.monotonic() - began:.1f} s {program}", flush=True)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
