"""Real servers as session fixtures. Each xdist worker has its own: nothing to lock, nothing shared."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

import pytest

from .browser import Chromium
from .jaeger import Jaeger, running_jaeger
from .opa import Opa, running_opa
from .openfga import OpenFga, running_openfga
from .postgres import Postgres, running_postgres
from .seaweedfs import SeaweedFS, running_seaweedfs

# Minutes the first time, see go_tools: tests with these may wait for the build.
BUILT = {"opa", "openfga", "jaeger"}
BUILD_WAIT = pytest.mark.timeout(1800)
CHROMIUM = Chromium()  # of the process

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext


@pytest.fixture(scope="session")
def seaweedfs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SeaweedFS]:
    """A real S3 server: endpoint, credentials, ``create_bucket()``."""
    with running_seaweedfs(tmp_path_factory.mktemp("seaweedfs")) as server:
        yield server


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A real PostgreSQL: ``create_database()``."""
    with running_postgres() as server:
        yield server


@pytest.fixture(scope="session")
def opa(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Opa]:
    """A real Open Policy Agent: endpoint, ``put_policy(name, rego)``."""
    with running_opa(tmp_path_factory.mktemp("opa")) as server:
        yield server


@pytest.fixture(scope="session")
def openfga(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenFga]:
    """A real OpenFGA: endpoint, ``create_store(model)``, ``write(store, tuples)``."""
    with running_openfga(tmp_path_factory.mktemp("openfga")) as server:
        yield server


@pytest.fixture(scope="session")
def jaeger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Jaeger]:
    """A real Jaeger: ``otlp_endpoint(protocol)`` to send to, ``trace(trace_id)`` to read."""
    with running_jaeger(tmp_path_factory.mktemp("jaeger")) as server:
        yield server


@pytest.fixture(scope="module")
def chromium() -> Iterator[BrowserContext]:
    """A browser without a past."""
    with CHROMIUM.profile() as profile:
        yield profile


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """After the fixtures of a module: the browser ends where the next module does not begin with it."""
    if nextitem is None or (nextitem.path != item.path and "chromium" not in _fixtures_of(nextitem)):
        CHROMIUM.end()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in filter(needs_a_build, items):
        item.add_marker(BUILD_WAIT)


def needs_a_build(item: pytest.Item) -> bool:
    """Whether it waits for a server that has to be built first."""
    return not BUILT.isdisjoint(_fixtures_of(item))


def _fixtures_of(item: pytest.Item) -> Collection[str]:
    return getattr(item, "fixturenames", ())
