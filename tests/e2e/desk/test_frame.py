"""What all pages of the desk have in common, and the pages of keys and users that are Django's own."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from tests.e2e.desk.running import ADMIN, BUCKET, Desk, put, s3_client
from tests.e2e.desk.watched_page import expect_accessible, shots

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from playwright.sync_api import Page

CACHE_SECONDS = 6.0
PATHS = ("", "uploads/uploadrecord/", "authz/accesskey/", "authz/accesskey/add/", "auth/user/")


def test_every_page_is_titled_and_has_its_styles(page: Page, desk: Desk) -> None:
    put(desk.s3, "styled.txt")
    for path in PATHS:
        page.goto(f"{desk.url}/admin/{path}")
        assert re.search("Mizuchi Uploadr$", page.title())
        header = page.locator("#header")
        assert header.evaluate("e => getComputedStyle(e).display") == "flex"
        shots(page, f"frame-{path.strip('/').replace('/', '-') or 'index'}")
    expect_accessible(page)  # the last; those of the desk have tests of their own


def test_who_logs_out_is_out(anonymous_page: Page, desk: Desk) -> None:
    page = anonymous_page
    page.goto(f"{desk.url}/admin/")
    expect_accessible(page)
    page.get_by_label("Username").fill(ADMIN)
    page.get_by_label("Password").fill(desk.admin_password)
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("button", name="Log out").click()
    page.get_by_role("heading", name="Logged out").wait_for()
    page.goto(f"{desk.url}/admin/uploads/uploadrecord/")

    assert page.get_by_label("Password").is_visible()


def test_a_key_is_made_used_and_disabled(page: Page, desk: Desk) -> None:
    page.get_by_role("link", name="Access keys").first.click()
    page.get_by_role("link", name="Add access key").click()
    page.get_by_label("Principal").fill("camera")
    page.get_by_label("Every bucket").uncheck()
    page.get_by_label(BUCKET, exact=True).check()
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_text("it is shown only once").wait_for()
    access_key_id, secret = page.locator(".messagelist code").all_inner_texts()

    page.reload()
    assert secret not in page.content()
    camera = s3_client(desk.url, access_key_id, secret)
    put(camera, "from-the-camera.jpg")

    page.get_by_role("row", name=access_key_id).get_by_role("checkbox").check()
    page.get_by_role("combobox", name="Action").select_option(label="Disable the selected access keys")
    page.get_by_role("button", name="Go").click()
    page.get_by_text("Access keys disabled: 1.").wait_for()
    disabled_at = time.monotonic()

    assert "InvalidAccessKeyId" in refusal(camera, until=disabled_at + CACHE_SECONDS)


def refusal(s3: S3Client, *, until: float) -> str:
    """Why an upload is refused; the empty text when none was until then."""
    while time.monotonic() < until:
        try:
            put(s3, "once-more.jpg")
        except ClientError as error:
            return str(error)
        time.sleep(0.2)
    return ""
