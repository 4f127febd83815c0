"""The configuration in a browser."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.e2e.desk.running import Desk
from tests.e2e.desk.watched_page import expect_accessible, shots

if TYPE_CHECKING:
    from playwright.sync_api import Page


def test_the_configuration_with_its_sources_and_checks(page: Page, desk: Desk) -> None:
    page.get_by_role("link", name="Configuration", exact=True).click()
    page.get_by_role("heading", name="System checks").wait_for()

    row = page.get_by_role("row", name="server.workers")
    assert row.get_by_role("cell").all_inner_texts() == ["2", "default"]
    # Logins are over plain HTTP where nothing leaves the machine, which Django warns of.
    assert page.get_by_text("security.W012").is_visible()
    expect_accessible(page)
    shots(page, "configuration")
    page.set_viewport_size({"width": 390, "height": 800})
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    page.set_viewport_size({"width": 1280, "height": 800})

    page.get_by_role("link", name="that differ from the defaults").click()
    page.wait_for_url("**/?show=differing")
    assert page.get_by_role("row", name="server.workers").count() == 0
