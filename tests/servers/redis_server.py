"""Redis as a server of the tests (Debian's package redis-server)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .process import free_ports, needs_server, running_server


@dataclass(frozen=True, slots=True)
class Redis:
    """A server that keeps nothing on disk."""

    folder: Path
    port: int

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def client(self) -> Any:
        import redis

        return redis.Redis.from_url(self.url, socket_timeout=5)

    def is_ready(self) -> bool:
        import redis

        try:
            return bool(self.client().ping())
        except redis.RedisError:
            return False

    @contextmanager
    def running(self) -> Iterator[None]:
        """Serve until the block ends; can be done again. Skips as ``needs_server``, raises ServerFailed."""
        command = [needs_server("redis-server"), "--port", str(self.port), "--bind", "127.0.0.1"]
        command += ["--save", "", "--dir", self.folder]
        with running_server(command, log=self.folder / "redis.log", is_ready=self.is_ready):
            yield


def redis_in(folder: Path) -> Redis:
    """One that is not running yet."""
    (port,) = free_ports(1)
    return Redis(folder, port)
