"""Access in the desk: a key that is made and used, and a wrong secret that the doctor explains."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError

from tests.e2e.desk.running import BUCKET, Desk, put, s3_client
from tests.e2e.desk.watched_page import expect_accessible, shots

if TYPE_CHECKING:
    from playwright.sync_api import Page

SECONDS = 20.0


def make_key(page: Page, desk: Desk, principal: str) -> tuple[str, str]:
    """Access key id and secret, as the page shows them."""
    page.goto(f"{desk.url}/admin/authz/accesskey/add/")
    page.get_by_label("Principal").fill(principal)
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_text("it is shown only once").wait_for()
    access_key_id, secret = page.locator(".messagelist code").all_inner_texts()
    return access_key_id, secret


def refused(desk: Desk, access_key_id: str, secret: str) -> str:
    """The request id of an upload whose signature does not match."""
    with pytest.raises(ClientError, match="SignatureDoesNotMatch") as refusal:
        put(s3_client(desk.url, access_key_id, secret), "private/käse brot.jpg")
    return str(refusal.value.response["ResponseMetadata"]["RequestId"])


def ask_the_doctor(page: Page, request_id: str) -> None:
    """A diagnosis is written within a second or so."""
    page.get_by_role("link", name="Signature doctor").first.click()
    deadline = time.monotonic() + SECONDS
    while True:
        page.get_by_label("Request id").fill(request_id)
        page.get_by_role("button", name="Find").click()
        page.locator(".diagnosis, .desk-empty").wait_for()
        if page.locator(".diagnosis").count():
            return
        assert time.monotonic() < deadline, "no diagnosis has come"


def test_a_wrong_secret_is_explained(page: Page, desk: Desk) -> None:
    access_key_id, secret = make_key(page, desk, "scanner")
    put(s3_client(desk.url, access_key_id, secret), "from-the-scanner.jpg")
    request_id = refused(desk, access_key_id, "wrong" + secret)

    ask_the_doctor(page, request_id)

    told = page.locator(".diagnosis").inner_text()
    assert "The secret key is probably wrong" in told
    assert "make a new key for the same principal" in told
    assert "scanner" in told
    canonical, to_sign = page.locator(".diagnosis-text").all_inner_texts()
    assert canonical.startswith("PUT\n/xxxxxxx/xxxxxxx/x%xx%xxxx%20xxxx.xxx\n")
    assert to_sign.startswith("AWS4-HMAC-SHA256\n")
    assert secret not in page.content()
    expect_accessible(page)
    shots(page, "diagnosis")
    page.get_by_role("link", name="Latest").click()
    page.get_by_role("link", name=request_id).wait_for()
    expect_accessible(page)
    shots(page, "diagnoses")
    page.get_by_role("link", name=request_id).click()
    page.get_by_role("link", name=access_key_id).click()
    page.get_by_role("heading", name="Change access key").wait_for()


def test_buckets_lead_to_their_uploads_and_to_the_tester(page: Page, desk: Desk) -> None:
    put(desk.s3, "of-the-bucket.txt")
    page.get_by_role("link", name="Buckets").first.click()
    card = page.locator(".bucket", has=page.get_by_role("heading", name=BUCKET))
    card.get_by_text("storage answers").wait_for()
    expect_accessible(page)
    shots(page, "buckets")
    card.get_by_role("link", name="Uploads").click()
    page.get_by_text("of-the-bucket.txt").first.wait_for()
    page.go_back()
    card.get_by_role("link", name="Test the policy").click()

    page.get_by_label("Subject").fill("anne")
    page.get_by_label("Key").fill("a.txt")
    page.get_by_label("Claims").fill('{"tier": "gold"}')
    page.get_by_role("button", name="Ask").click()

    page.get_by_role("heading", name="Allowed").wait_for()
    assert "the bucket has no policy" in page.locator("#content-main").inner_text()
    expect_accessible(page)
    shots(page, "policy-test")


def test_changes_of_keys_are_in_the_audit_log(page: Page, desk: Desk) -> None:
    access_key_id, _ = make_key(page, desk, "audited")
    page.locator("#searchbar").fill(access_key_id)
    page.get_by_role("button", name="Search").click()
    page.get_by_role("row", name=access_key_id).get_by_role("checkbox").check()
    page.get_by_role("combobox", name="Action").select_option(label="Disable the selected access keys")
    page.get_by_role("button", name="Go").click()
    page.get_by_text("Access keys disabled: 1.").wait_for()
    page.locator(".desk-tag", has_text="disabled").wait_for()
    expect_accessible(page)
    shots(page, "access-keys")

    page.get_by_role("link", name="Audit log").first.click()
    page.get_by_label("Kind of object").select_option(label="access key")
    page.get_by_role("button", name="Filter").click()
    rows = page.locator("tbody tr", has_text=access_key_id)
    rows.first.wait_for()
    assert [each.split("\t")[-1].strip() for each in rows.all_inner_texts()] == [
        "Changed Is enabled.",
        "Added.",
    ]
    expect_accessible(page)
    shots(page, "audit")


def test_recent_decisions_are_a_page_of_their_own(page: Page, desk: Desk) -> None:
    page.get_by_role("link", name="Recent decisions").first.click()
    page.get_by_role("heading", name="Decisions of policies, newest first").wait_for()
    expect_accessible(page)
