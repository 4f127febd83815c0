"""The status page in a browser: what is uploaded shows, and the page keeps up by itself."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from tests.e2e.desk.running import BUCKET, Desk, open_trace, put
from tests.e2e.desk.watched_page import expect_accessible, shots
from tests.mizuchi_site.desk.number_cases import CASES

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

API = re.compile("/api/v1/status/")
# A beat of the workers, a refresh of the page, and time for a busy machine.
TOLD_MS = 30_000
FIGURE = '#status > .desk-cards [data-field="{}"]'
FILL_OF_FIRST_BAR = """() => {
  const chart = Chart.getChart(document.querySelector("[data-chart=requests]"));
  const fill = chart.getDatasetMeta(0).data[0]?.options.backgroundColor;
  return [fill, getComputedStyle(document.documentElement).getPropertyValue("--desk-ok").trim()];
}"""


def figure(page: Page, field: str) -> Locator:
    return page.locator(FIGURE.format(field))


def number(page: Page, field: str) -> int:
    return int(figure(page, field).inner_text().replace(",", ""))


def wait_for(page: Page, field: str, count: int) -> None:
    """At least so many: what other tests did may be told late."""
    shown = "([path, count]) => Number(document.querySelector(path).textContent.replaceAll(',', '')) >= count"
    page.wait_for_function(shown, arg=[FIGURE.format(field), count], timeout=TOLD_MS)


def cells(page: Page, part: str, name: str) -> Sequence[str]:
    found = page.locator(f'[data-rows="{part}"] > tr').filter(has=page.get_by_text(name, exact=True))
    return [cell.strip() for cell in found.first.locator("th, td").all_inner_texts()]


def test_uploads_show_without_a_reload(page: Page, desk: Desk) -> None:
    from playwright.sync_api import expect

    page.evaluate("() => { window.isTheSame = true; }")
    uploads, errors = number(page, "figures.uploads"), number(page, "figures.client_errors")
    for index in range(3):
        put(desk.s3, f"status/{index}.bin", b"x" * 100_000)
    with pytest.raises(ClientError, match="BadDigest"):
        put(desk.s3, "status/refused.bin", ContentMD5="1B2M2Y8AsgTpgAmY7PhCfg==")

    wait_for(page, "figures.uploads", uploads + 3)
    wait_for(page, "figures.client_errors", errors + 1)
    assert page.evaluate("() => window.isTheSame"), "it was not loaded anew"
    assert re.fullmatch(r"\d+(\.\d)? (KiB|MiB|GiB)", figure(page, "figures.bytes_received").inner_text())
    assert re.fullmatch(r"\d.* (ms|s)", figure(page, "figures.p50_ms").inner_text())
    bucket = cells(page, "buckets", BUCKET)
    assert int(bucket[1].replace(",", "")) >= 3
    # A step shows in the charts once it is over: within 15 seconds and a refresh.
    chart = page.get_by_role("img", name="Requests a minute: succeeded")
    some = re.compile(r"succeeded \S+ last, [1-9][\d,.]* at most")
    expect(chart).to_have_accessible_name(some, timeout=TOLD_MS)


def test_how_things_are(page: Page) -> None:
    from playwright.sync_api import expect

    page.goto(page.url.partition("/admin/")[0] + "/admin/status/")
    expect(page.locator('[data-rows="workers"] > tr').first).to_be_visible(timeout=TOLD_MS)
    states = page.locator('[data-rows="workers"] [data-field="is_gone"]').all_inner_texts()
    assert set(states) == {"at work"}
    for check in ("database", "server", f"storage:{BUCKET}"):
        assert cells(page, "checks", check)[1] == "ok"
    store = page.locator('[data-rows="exports"] > div').filter(has_text="Spans to the store on this machine")
    assert "healthy" in store.inner_text()


def test_an_error_leads_to_the_upload_that_failed_and_to_its_waterfall(page: Page, desk: Desk) -> None:
    with pytest.raises(ClientError, match="BadDigest") as refused:
        put(desk.s3, "status/found-again.bin", ContentMD5="1B2M2Y8AsgTpgAmY7PhCfg==")

    page.get_by_role("link", name="failed uploads").click()
    page.get_by_role("link", name="status/found-again.bin").first.wait_for()
    assert "status/0.bin" not in page.locator("#content-main").inner_text()

    page.get_by_role("link", name="status/found-again.bin").first.click()
    open_trace(page)
    page.wait_for_url(f"**/admin/traces/{refused.value.response['ResponseMetadata']['RequestId']}/")
    page.get_by_role("row", name="upload.put_object").wait_for()


def test_windows(page: Page) -> None:
    for label, window in (("1 hour", "1h"), ("24 hours", "24h"), ("15 minutes", "15m")):
        with page.expect_response(re.compile(f"/api/v1/status/.*window={window}$")) as answered:
            page.get_by_role("navigation", name="Time").get_by_role("link", name=label).click()
        told: dict[str, Any] = answered.value.json()
        assert (answered.value.status, told["window"]) == (200, window)
        assert answered.value.request.headers["traceparent"].endswith("-00"), "not one of the traces kept"
        assert page.get_by_role("link", name=label).get_attribute("aria-current") == "true"


def test_it_rests_while_paused_or_out_of_sight(page: Page) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if API.search(request.url) else None)
    page.evaluate("() => { document.getElementById('status').dataset.refreshSeconds = '0.05'; }")
    hide = "(isHidden) => { Object.defineProperty(document, 'hidden', {value: isHidden, configurable: true});"
    tell = "document.dispatchEvent(new Event('visibilitychange')); }"
    pause = page.get_by_role("button", name="Pause")

    with page.expect_request(API):
        pause.click()
        assert pause.get_attribute("aria-pressed") == "true"
        assert_rests(page, asked)
        pause.click()
    assert pause.get_attribute("aria-pressed") == "false"
    with page.expect_request(API):
        page.evaluate(hide + tell, True)
        assert_rests(page, asked)
        page.evaluate(hide + tell, False)
    pause.click()


def assert_rests(page: Page, asked: Sequence[str]) -> None:
    """What was asked for before may still be answered; nothing new is."""
    so_far = len(asked)
    page.wait_for_timeout(20 * 50)
    assert len(asked) == so_far


def test_charts_follow_the_theme(page: Page) -> None:
    with page.expect_response(API):
        page.reload()
    found = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        page.wait_for_function(f"() => {{ const [fill, ok] = ({FILL_OF_FIRST_BAR})(); return fill === ok; }}")
        found.append(page.evaluate(FILL_OF_FIRST_BAR)[0])
    page.emulate_media(color_scheme="light")
    assert found[0] != found[1]


def test_the_browser_writes_numbers_as_the_server_does(page: Page) -> None:
    script = """async (cases) => {
      const texts = await import("/static/desk/numbers.js");
      return cases.map(([kind, value]) => texts[`${kind}Text`](value));
    }"""
    written = page.evaluate(script, [[kind, value] for kind, value, _ in CASES])
    assert written == [text for _, _, text in CASES]


def test_it_is_for_all(page: Page, desk: Desk) -> None:
    page.goto(f"{desk.url}/admin/")
    page.locator("summary", has_text="The same in numbers").click()
    expect_accessible(page)
    shots(page, "status")
    page.set_viewport_size({"width": 390, "height": 900})
    page.wait_for_function("() => document.documentElement.scrollWidth <= innerWidth")
    page.set_viewport_size({"width": 1280, "height": 800})
