"""OpenFGA as a real server: relationship tuples in memory, nobody has to log in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from .process import free_ports, needs_built_server, running_server

QUIET = (
    "--metrics-enabled=false",
    "--playground-enabled=false",
    "--profiler-enabled=false",
    "--shutdown-timeout=1s",
    "--log-level=warn",
)


@dataclass(frozen=True, slots=True)
class Store:
    """A store with one authorization model."""

    store_id: str
    model_id: str


@dataclass(frozen=True)
class OpenFga:
    """``endpoint`` is the base URL of its HTTP API."""

    endpoint: str

    def create_store(self, model: Mapping[str, Any]) -> Store:
        """A new store with this authorization model (its JSON form). Raises httpx.HTTPStatusError."""
        store_id = self._post("/stores", {"name": "tests"})["id"]
        answer = self._post(f"/stores/{store_id}/authorization-models", model)
        return Store(store_id, answer["authorization_model_id"])

    def write(self, store: Store, tuples: Sequence[Mapping[str, Any]]) -> None:
        """Add tuples (user, relation, object). Raises httpx.HTTPStatusError."""
        self._post(f"/stores/{store.store_id}/write", {"writes": {"tuple_keys": [*tuples]}})

    def is_ready(self) -> bool:
        try:
            return httpx.get(f"{self.endpoint}/healthz").status_code == 200
        except httpx.TransportError:
            return False

    def _post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        return dict(httpx.post(f"{self.endpoint}{path}", json=body).raise_for_status().json())


@contextmanager
def running_openfga(folder: Path) -> Iterator[OpenFga]:
    """A server with no stores, ended with the block. Raises ServerFailed."""
    program = needs_built_server("openfga")
    http, grpc = free_ports(2)
    server = OpenFga(f"http://127.0.0.1:{http}")
    listen = [f"--http-addr=127.0.0.1:{http}", f"--grpc-addr=127.0.0.1:{grpc}"]
    with running_server([program, "run", *listen, *QUIET], log=folder / "log", is_ready=server.is_ready):
        yield server
