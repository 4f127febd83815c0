"""Traces in the desk: from the list and its plot to a waterfall, by mouse and by keyboard."""

from __future__ import annotations

import json
import os
import re
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from tests.e2e.desk.running import BUCKET, Desk, put
from tests.e2e.desk.watched_page import expect_accessible, shots

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

PART_BYTES = 5 * 1024 * 1024
PARTS = 3
WRONG_MD5 = "1B2M2Y8AsgTpgAmY7PhCfg=="
POINT = """(id) => {
  const chart = Chart.getChart("trace-plot");
  if (!chart) return null;
  for (const [index, set] of chart.data.datasets.entries()) {
    const at = set.data.findIndex(({point}) => point.trace_id === id);
    if (at >= 0) {
      const {x, y} = chart.getDatasetMeta(index).data[at];
      return {x, y, shape: set.pointStyle};
    }
  }
  return null;
}"""
TIMES = """() => Chart.getChart("trace-plot").scales.x.ticks.map(({label}) => label)"""


def refused(desk: Desk) -> str:
    """An upload whose bytes are not what it says; returns the request id."""
    with pytest.raises(ClientError, match="BadDigest") as raised:
        put(desk.s3, "traced/refused.txt", ContentMD5=WRONG_MD5)
    request_id: str = raised.value.response["ResponseMetadata"]["RequestId"]
    return request_id


def multipart(desk: Desk) -> str:
    """An upload in three parts; returns the request id, which all its requests share."""
    at = {"Bucket": BUCKET, "Key": "traced/big.bin"}
    begun = desk.s3.create_multipart_upload(**at)  # type: ignore[arg-type]
    upload = {**at, "UploadId": begun["UploadId"]}
    parts = []
    for number in range(1, PARTS + 1):
        sent = desk.s3.upload_part(**upload, PartNumber=number, Body=os.urandom(PART_BYTES))  # type: ignore[arg-type]
        parts.append({"PartNumber": number, "ETag": sent["ETag"]})
    desk.s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts})  # type: ignore[arg-type]
    return begun["ResponseMetadata"]["RequestId"]


def kept(page: Page, desk: Desk, trace_id: str, requests: int = 1) -> None:
    """Opens the list of that request, once all of its trace is kept."""
    for _ in range(60):
        page.goto(f"{desk.url}/admin/traces/?request_id={trace_id}")
        if page.locator(".trace-table tbody tr").count() == requests:
            return
        page.wait_for_timeout(250)
    raise AssertionError(f"trace {trace_id} is not kept")


def row(page: Page, name: str) -> Locator:
    return page.locator(".wf-row:not(.wf-header)", has=page.locator(".wf-text", has_text=name))


def test_from_a_failed_upload_in_the_plot_to_what_to_do(page: Page, desk: Desk) -> None:
    from playwright.sync_api import expect

    fine, failed = put(desk.s3, "traced/fine.txt"), refused(desk)
    kept(page, desk, failed)
    expect(page.get_by_role("img", name="1 request:")).to_be_visible()
    assert all(re.fullmatch(r"\d\d:\d\d:\d\d", time) for time in page.evaluate(TIMES))
    page.goto(f"{desk.url}/admin/")
    page.get_by_role("link", name="Traces", exact=True).first.click()
    expect(page.get_by_role("img", name="slowest")).to_be_visible()
    assert page.evaluate(POINT, fine)["shape"] == "circle"
    expect_accessible(page)
    shots(page, "traces")

    page.get_by_label("Outcome").select_option(label="failed")
    page.get_by_text("More filters").click()
    page.get_by_label("Error code").fill("BadDigest")
    page.get_by_role("button", name="Filter").click()
    codes = page.locator(".trace-table .desk-tag")
    expect(codes.first).to_have_text("400 BadDigest")
    assert set(codes.all_inner_texts()) == {"400 BadDigest"}
    expect(page.get_by_role("img", name="failed")).to_be_visible()
    point = page.evaluate(POINT, failed)
    assert point["shape"] == "triangle"

    page.locator("#trace-plot").click(position={"x": point["x"], "y": point["y"]})
    page.get_by_role("heading", name="What failed").wait_for()
    assert page.url == f"{desk.url}/admin/traces/{failed}/"
    expect(page.get_by_text("What came has another MD5 or checksum")).to_be_visible()
    for who in ("client", "backend", "policy", "gateway"):
        expect(page.locator(".waits strong", has_text=who)).to_be_visible()
    expect(page.locator(".wf-row .desk-tag").first).to_have_text("BadDigest")
    expect_accessible(page)
    shots(page, "trace-refused")

    page.get_by_role("link", name="traced/refused.txt").click()
    page.wait_for_url("**/uploads/uploadrecord/*/change/")
    page.locator(f'a[href*="/admin/traces/{failed}/"]').first.click()
    page.get_by_role("heading", name="What failed").wait_for()


def test_spans_by_keyboard(page: Page, desk: Desk) -> None:
    from playwright.sync_api import expect

    failed = refused(desk)
    kept(page, desk, failed)
    page.locator(".trace-table a").click()
    root, upload, write = (
        row(page, "PUT s3.PutObject"),
        row(page, "upload.put_object"),
        row(page, "file.write"),
    )

    root.focus()
    for _ in range(2):
        page.keyboard.press("ArrowDown")
    expect(upload).to_be_focused()
    page.keyboard.press("Enter")
    expect(upload.get_by_text("mizuchi.upload.receive_wait_ms")).to_be_visible()
    expect(upload.get_by_role("cell", name="body.received")).to_be_visible()
    expect_accessible(page)
    shots(page, "trace-open-span")
    page.keyboard.press("Space")
    expect(upload.get_by_text("mizuchi.upload.receive_wait_ms")).to_be_hidden()

    page.keyboard.press("ArrowLeft")
    expect(upload).to_have_attribute("aria-expanded", "false")
    expect(write).to_be_hidden()
    page.keyboard.press("End")
    expect(upload).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(write).to_be_visible()
    page.keyboard.press("End")
    expect(write).to_be_focused()
    page.keyboard.press("ArrowLeft")
    expect(upload).to_be_focused()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowLeft")
    expect(upload).to_be_hidden()

    page.get_by_role("link", name="PutObject").click()
    expect(root).to_be_focused()
    expect(root.get_by_text("http.response.status_code")).to_be_visible()


def test_a_trace_is_copied_and_downloaded_as_otlp(page: Page, desk: Desk) -> None:
    from playwright.sync_api import expect

    request_id = put(desk.s3, "traced/copied.txt")
    kept(page, desk, request_id)
    page.locator(".trace-table a").click()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=desk.url)
    page.get_by_role("button", name="Copy as OTLP JSON").click()
    expect(page.get_by_role("status")).to_have_text("Copied.")
    copied = json.loads(page.evaluate("() => navigator.clipboard.readText()"))

    with page.expect_download() as downloading:
        page.get_by_role("link", name="Download OTLP JSON").click()
    assert downloading.value.suggested_filename == f"trace-{request_id}.json"
    downloaded = json.loads(downloading.value.path().read_text())
    assert copied == downloaded
    spans = spans_of(copied)
    assert {span["traceId"] for span in spans} == {request_id}
    assert "upload.put_object" in {span["name"] for span in spans}


def spans_of(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        span
        for resource in document["resourceSpans"]
        for scope in resource["scopeSpans"]
        for span in scope["spans"]
    ]


def test_a_multipart_upload_is_on_one_page(page: Page, desk: Desk) -> None:
    from playwright.sync_api import expect

    trace_id = multipart(desk)
    kept(page, desk, trace_id, requests=PARTS + 2)
    page.locator(".trace-table a").first.click()
    expect(page.get_by_role("heading", name="Trace of a multipart upload")).to_be_visible()
    expect(
        page.get_by_text("CreateMultipartUpload, 3 \N{MULTIPLICATION SIGN} UploadPart, Complete")
    ).to_be_visible()
    for name, count in (("s3.CreateMultipartUpload", 1), ("s3.UploadPart", PARTS), ("file.assemble", 1)):
        expect(row(page, name)).to_have_count(count)
    expect(page.get_by_role("link", name="traced/big.bin")).to_be_visible()
    row(page, "s3.UploadPart").nth(1).get_by_role("link", name="This request alone", exact=True).click()
    expect(page.get_by_text(f"Request 3 of {PARTS + 2}")).to_be_visible()
    expect(row(page, "s3.")).to_have_count(1)
    page.get_by_role("link", name="Whole trace").click()
    page.set_viewport_size({"width": 390, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    page.set_viewport_size({"width": 1280, "height": 800})
    expect_accessible(page)
    shots(page, "trace-multipart")
