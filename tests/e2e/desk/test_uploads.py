"""Uploads in the desk: found again by what their clients know of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError

from tests.e2e.desk.running import Desk, put, search

if TYPE_CHECKING:
    from playwright.sync_api import Page

LIST = "/admin/uploads/uploadrecord/"


def expect_keys(page: Page, keys: Sequence[str]) -> None:
    """Waits until the list shows just these keys."""
    from playwright.sync_api import expect

    expect(page.locator("td.field-short_key")).to_have_text(keys)


def test_an_upload_is_found_by_key_and_by_request_id(page: Page, desk: Desk) -> None:
    put(desk.s3, "photos/other.jpg")
    request_id = put(desk.s3, "photos/käse & <b>brot</b>.jpg", ContentType="image/jpeg")
    page.get_by_role("link", name="Uploads", exact=True).first.click()
    page.locator("td.field-short_key", has_text="other.jpg").wait_for()

    for term in ("käse & <b>brot", request_id):
        search(page, term)
        expect_keys(page, ["photos/käse & <b>brot</b>.jpg"])

    page.get_by_role("link", name="photos/käse").click()
    page.get_by_role("heading", name="View upload record").wait_for()
    record = page.locator("#content-main").inner_text()
    for shown in ("Stored", request_id, "photos/käse & <b>brot</b>.jpg", "image/jpeg", "7", "dev"):
        assert shown in record
    assert page.get_by_role("button", name="Save").count() == 0


def test_a_refused_upload_is_found_by_its_error(page: Page, desk: Desk) -> None:
    put(desk.s3, "accepted.txt")
    with pytest.raises(ClientError, match="BadDigest"):
        put(desk.s3, "refused.txt", ContentMD5="1B2M2Y8AsgTpgAmY7PhCfg==")

    page.goto(f"{desk.url}{LIST}")
    page.get_by_role("link", name="Failed", exact=True).click()
    page.get_by_role("link", name="BadDigest", exact=True).click()

    expect_keys(page, ["refused.txt"])
    assert page.locator("td.field-error_code").all_inner_texts() == ["BadDigest"]
