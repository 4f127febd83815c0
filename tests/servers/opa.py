"""Open Policy Agent as a real server, without a policy until a test gives it one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from .process import free_ports, needs_built_server, running_server


@dataclass(frozen=True)
class Opa:
    """``endpoint`` is the base URL of its REST API; ``program test FOLDER`` runs the tests of policies."""

    endpoint: str
    program: Path

    def put_policy(self, name: str, rego: str) -> None:
        """Create or replace a policy. Raises httpx.HTTPStatusError when it does not compile."""
        httpx.put(f"{self.endpoint}/v1/policies/{name}", content=rego).raise_for_status()

    def is_ready(self) -> bool:
        try:
            return httpx.get(f"{self.endpoint}/health").status_code == 200
        except httpx.TransportError:
            return False


@contextmanager
def running_opa(folder: Path) -> Iterator[Opa]:
    """A server that asks nobody for newer versions, ended with the block. Raises ServerFailed."""
    program = needs_built_server("opa")
    (port,) = free_ports(1)
    server = Opa(f"http://127.0.0.1:{port}", program)
    listen = ["--server", "--addr", f"127.0.0.1:{port}"]
    quiet = ["--skip-version-check", "--log-level", "error"]
    with running_server([program, "run", *listen, *quiet], log=folder / "log", is_ready=server.is_ready):
        yield server
