"""Uploads in the desk: found by what their clients know of them, explained, and watched on their way."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError

from tests.e2e.desk.running import BUCKET, Desk, open_trace, put, s3_client
from tests.e2e.desk.slow_upload import SlowUpload
from tests.e2e.desk.watched_page import expect_accessible, shots

if TYPE_CHECKING:
    from playwright.sync_api import Page

LIST = "/admin/uploads/uploadrecord/"
MIB = 1024 * 1024


def expect_keys(page: Page, keys: Sequence[str]) -> None:
    """Waits until the list shows just these keys."""
    from playwright.sync_api import expect

    expect(page.locator(".upload-key a")).to_have_text([f"{BUCKET}/{key}" for key in keys])


def find(page: Page, term: str) -> None:
    page.get_by_label("Search").fill(term)
    page.get_by_role("button", name="Search").click()


def facts(page: Page) -> dict[str, str]:
    names, values = page.locator("dl dt").all_inner_texts(), page.locator("dl dd").all_inner_texts()
    return dict(zip(names, values, strict=True))


def test_an_upload_is_found_by_key_and_by_request_id(page: Page, desk: Desk) -> None:
    put(desk.s3, "photos/other.jpg")
    request_id = put(desk.s3, "photos/käse & <b>brot</b>.jpg", ContentType="image/jpeg")
    page.get_by_role("link", name="Uploads", exact=True).first.click()
    page.locator(".upload-key", has_text="other.jpg").wait_for()
    expect_accessible(page)
    shots(page, "uploads")

    for term in ("käse & <B>BROT", request_id):
        find(page, term)
        expect_keys(page, ["photos/käse & <b>brot</b>.jpg"])

    page.get_by_role("link", name="photos/käse").click()
    page.get_by_role("heading", name="photos/käse & <b>brot</b>.jpg").wait_for()
    shown = facts(page)
    assert (shown["Size"], shown["Content type"], shown["Principal"]) == (
        "7 bytes",
        "image/jpeg",
        "dev (sigv4)",
    )
    assert shown["Request id"].startswith(request_id)
    expect_accessible(page)
    shots(page, "upload")


def test_a_failed_upload_is_explained_and_leads_to_its_trace(page: Page, desk: Desk) -> None:
    put(desk.s3, "accepted.txt")
    with pytest.raises(ClientError, match="BadDigest") as refused:
        put(desk.s3, "refused.txt", ContentMD5="1B2M2Y8AsgTpgAmY7PhCfg==")
    request_id = refused.value.response["ResponseMetadata"]["RequestId"]

    page.goto(f"{desk.url}{LIST}")
    page.get_by_label("State").select_option("Failed")
    page.get_by_text("More filters").click()
    page.get_by_label("Error code").fill("BadDigest")
    find(page, request_id)
    expect_keys(page, ["refused.txt"])
    page.get_by_role("link", name="refused.txt").click()

    page.get_by_role("heading", name="BadDigest").wait_for()
    shown = facts(page)
    assert "another MD5 or checksum" in shown["What happened"]
    assert shown["Received"] == "7 bytes"
    assert page.get_by_role("img", name="waiting for the client").is_visible()
    expect_accessible(page)
    shots(page, "upload-failed")
    open_trace(page)
    page.wait_for_url(f"**/admin/traces/{request_id}/")


def test_a_request_without_a_record_is_explained_by_its_id(page: Page, desk: Desk) -> None:
    stranger = s3_client(desk.url, "AKUNKNOWN", "secret" * 8)
    with pytest.raises(ClientError, match="InvalidAccessKeyId") as refused:
        put(stranger, "not-for-you.txt")

    page.goto(f"{desk.url}{LIST}")
    find(page, refused.value.response["ResponseMetadata"]["RequestId"])

    page.get_by_role("heading", name="No upload has the request id").wait_for()
    expect_accessible(page)
    shots(page, "upload-unrecorded")


def test_a_slow_upload_is_watched_until_it_is_stored(page: Page, desk: Desk) -> None:
    from playwright.sync_api import expect

    with SlowUpload(desk.s3, BUCKET, "slow/holiday.mp4", 8 * MIB) as upload:
        upload.send(MIB)
        page.get_by_role("link", name="In flight").first.click()
        card = page.locator(".flights li", has_text="slow/holiday.mp4")
        expect(card).to_contain_text("1.0 MiB of 8.0 MiB · 12 %", timeout=30_000)
        expect_accessible(page)

        upload.send(3 * MIB)
        expect(card).to_contain_text("4.0 MiB of 8.0 MiB · 50 %", timeout=30_000)
        assert card.get_by_role("progressbar", name="Received").get_attribute("value") == str(4 * MIB)
        shots(page, "uploads-in-flight")

        upload.finish()
        expect(card).to_contain_text("stored", timeout=30_000)

    page.get_by_role("link", name="slow/holiday.mp4").click()
    page.get_by_role("heading", name="slow/holiday.mp4").wait_for()
    assert facts(page)["Size"] == "8.0 MiB (8,388,608 bytes)"


def test_the_page_of_an_upload_follows_it_to_its_end(page: Page, desk: Desk) -> None:
    upload_id = desk.s3.create_multipart_upload(Bucket=BUCKET, Key="slow/disk.img")["UploadId"]
    page.goto(f"{desk.url}{LIST}")
    find(page, upload_id)
    page.get_by_role("link", name="slow/disk.img").click()
    page.get_by_text("0 parts, 0 B").wait_for()

    part = {"Bucket": BUCKET, "Key": "slow/disk.img", "UploadId": upload_id, "PartNumber": 1}
    etag = desk.s3.upload_part(**part, Body=bytes(MIB))["ETag"]
    page.get_by_text("1 part, 1.0 MiB").wait_for(timeout=30_000)

    desk.s3.complete_multipart_upload(
        Bucket=BUCKET,
        Key="slow/disk.img",
        UploadId=upload_id,
        MultipartUpload={"Parts": [{"ETag": etag, "PartNumber": 1}]},
    )
    page.locator(".upload-headline", has_text="Stored").wait_for(timeout=30_000)
    assert facts(page)["Parts"] == "1"
