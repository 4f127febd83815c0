"""Real servers as session fixtures. Each xdist worker has its own: nothing to lock, nothing shared."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from .browser import running_chromium
from .postgres import Postgres, running_postgres
from .seaweedfs import SeaweedFS, running_seaweedfs

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


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrowserContext]:
    """A browser without a past. Of a module: Playwright keeps an event loop in the thread it runs in."""
    with running_chromium(tmp_path_factory.mktemp("chromium")) as context:
        yield context
