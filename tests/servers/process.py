"""A real server as a child process of the tests: free ports, start, wait until ready, stop."""

from __future__ import annotations

import os
import random
import shutil
import socket
import subprocess
import sysconfig
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import NoReturn

import pytest

from .go_tools import BuildFailed, built

LOG_LINES_SHOWN = 40


class ServerFailed(Exception):
    """A server did not come up or went down; the text ends with the last lines of its log."""


def free_ports(count: int) -> list[int]:
    """Loopback ports that nobody listens on, all different. They stay free until a server takes them: the
    kernel gives none of these to outgoing connections."""
    lowest = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    with ExitStack() as held:
        ports: list[int] = []
        while len(ports) < count:
            port = random.SystemRandom().randrange(lowest - 12_000, lowest)
            listener = held.enter_context(socket.socket())
            with suppress(OSError):
                listener.bind(("127.0.0.1", port))
                ports.append(port)
        return ports


def needs_server(program: str) -> Path:
    """The path of a server's program, from the Python environment or PATH.

    Without it the test ends as ``unavailable``.
    """
    found = shutil.which(program, path=sysconfig.get_path("scripts")) or shutil.which(program)
    if found:
        return Path(found)
    unavailable(f"the server program {program!r} is not installed")


def needs_built_server(name: str) -> Path:
    """The program of a server that the tests build themselves; one that cannot be built is missing."""
    try:
        return built(name)
    except BuildFailed as failed:
        unavailable(str(failed))


def unavailable(reason: str) -> NoReturn:
    """Ends a test that needs what is not here: a failure where ``CI`` is ``true``, else a skip.

    There a missing server or client would make the tests look greener than they are.
    """
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@contextmanager
def running_server(
    command: Sequence[str | Path],
    *,
    log: Path,
    is_ready: Callable[[], bool],
    ready_seconds: float = 60.0,
    stop_seconds: float = 10.0,
    environment: Mapping[str, str] | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server until the block ends. Raises ServerFailed when it dies or is not ready in time.

    At the end it is asked to stop, and killed when it has not after ``stop_seconds``.
    """
    with log.open("ab") as output:
        process = subprocess.Popen(
            [str(word) for word in command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=log.parent,
            env={**os.environ, **(environment or {})},
        )
    try:
        _wait_until_ready(process, log, is_ready, ready_seconds)
        yield process
    finally:
        _stop(process, stop_seconds)


def _wait_until_ready(
    process: subprocess.Popen[bytes], log: Path, is_ready: Callable[[], bool], seconds: float
) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise ServerFailed(f"{process.args!r} ended with {process.returncode}:\n{last_lines(log)}")
        if is_ready():
            return
        time.sleep(0.1)
    raise ServerFailed(f"{process.args!r} is not ready after {seconds:g} s:\n{last_lines(log)}")


def _stop(process: subprocess.Popen[bytes], seconds: float) -> None:
    process.terminate()
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def last_lines(log: Path) -> str:
    """The end of a server's log, to show when something failed."""
    return "\n".join(log.read_text(errors="replace").splitlines()[-LOG_LINES_SHOWN:])
