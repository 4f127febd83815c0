"""PostgreSQL as a server of the tests, the one that benchmarks have."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from mizuchi_site.bench import postgres
from mizuchi_site.bench.postgres import Postgres

from .process import free_ports, unavailable

__all__ = ["Postgres", "running_postgres"]


@contextmanager
def running_postgres() -> Iterator[Postgres]:
    """A server with a new, empty cluster, ended with the block; where it is not installed the test ends.

    Raises ServerFailed of ``mizuchi_site.bench.server``.
    """
    if postgres.postgres_program() is None:
        unavailable("the server program 'postgres' is not installed")
    (port,) = free_ports(1)
    with postgres.running_postgres(port=port) as server:
        yield server
