"""The desk in a real browser: the gateway and the pages that its tests share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.e2e.desk.running import Desk, running_desk
from tests.e2e.desk.watched_page import watched

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page


@pytest.fixture(scope="session")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """One for all tests of a process: what a test changes beyond uploads it puts back."""
    with running_desk(tmp_path_factory.mktemp("desk")) as running:
        yield running


@pytest.fixture(scope="session")
def admin_cookies(desk: Desk) -> dict[str, str]:
    return desk.cookies()


@pytest.fixture
def anonymous_page(chromium: BrowserContext, desk: Desk) -> Iterator[Page]:
    """A page where nobody is logged in. The test fails on what its browser complains about."""
    chromium.clear_cookies()
    with watched(chromium, desk.url) as page:
        yield page


@pytest.fixture
def page(anonymous_page: Page, desk: Desk, admin_cookies: dict[str, str]) -> Page:
    """A page where the admin is logged in, on the desk's first page.

    All tests share the session: who logs out does so after a login of his own.
    """
    anonymous_page.context.add_cookies(
        [{"name": name, "value": value, "url": desk.url} for name, value in admin_cookies.items()]
    )
    anonymous_page.goto(f"{desk.url}/admin/")
    return anonymous_page
