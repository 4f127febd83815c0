"""Tracing settings in a browser: sampling is changed with a preview, is in force on uploads, and undone."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.desk.running import Desk, put
from tests.e2e.desk.watched_page import expect_accessible, shots

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

# No other upload has just so many bytes.
DROPPED_BYTES, KEPT_BYTES = 4243, 4244
DEADLINE_SECONDS = 60


@pytest.fixture
def settings(page: Page, desk: Desk) -> Iterator[Page]:
    """The page; when the test is over the file's settings are in force, for all workers in seconds."""
    page.goto(f"{desk.url}/admin/tracing/")
    yield page
    token = next(each["value"] for each in page.context.cookies() if each.get("name") == "csrftoken")
    answer = page.request.put(
        f"{desk.url}/api/v1/tracing/settings/",
        data={"overrides": {}},
        headers={"X-CSRFToken": token, "Referer": desk.url},
    )
    assert answer.ok, answer.text()


def until(is_so: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not is_so():
        assert time.monotonic() < deadline, f"not {what} after {DEADLINE_SECONDS} s"
        time.sleep(0.2)


def told(page: Page, desk: Desk, path: str) -> Any:
    answer = page.request.get(f"{desk.url}/api/v1/{path}")
    assert answer.ok, answer.text()
    return answer.json()


def is_everywhere(page: Page, desk: Desk) -> bool:
    spread = told(page, desk, "tracing/settings/")["spread"]
    return bool(spread["workers"] and spread["workers"] == spread["with_newest"])


def is_kept(page: Page, desk: Desk, request_id: str) -> bool:
    return bool(told(page, desk, f"traces/?request_id={request_id}")["results"])


def is_size_kept(page: Page, desk: Desk, size: int) -> bool:
    """Whether the trace of such an upload appears before that of one which is kept for sure: the client sends
    both over one connection, to one worker, which saves them in order."""
    asked = put(desk.s3, "sampled.bin", b"x" * size)
    sure = put(desk.s3, "sure.bin", b"x" * KEPT_BYTES)
    until(lambda: is_kept(page, desk, sure), "the trace of an upload is in the store")
    return is_kept(page, desk, asked)


def add_rule(page: Page, name: str, when: str, keep: str) -> None:
    """By keyboard only: the new rule has the focus."""
    page.get_by_role("button", name="Add a rule").press("Enter")
    for text in (name, when, keep):
        page.keyboard.type(text)
        page.keyboard.press("Tab")


def names(page: Page) -> list[str]:
    return [field.input_value() for field in rule_fields(page, "name").all()]


def rule_fields(page: Page, part: str) -> Locator:
    return page.locator(f"#rules [name=rule_{part}]")


def fits(page: Page) -> bool:
    return bool(page.evaluate("() => document.documentElement.scrollWidth <= innerWidth"))


def test_sampling_is_changed_with_a_preview_and_undone(settings: Page, desk: Desk) -> None:
    page = settings
    assert is_size_kept(page, desk, DROPPED_BYTES)

    add_rule(page, "not these", f"operation = PutObject and bytes = {DROPPED_BYTES}", "never")
    page.get_by_label("Note for the history").fill("they are noise")
    page.get_by_role("button", name="Preview").press("Enter")
    page.get_by_role("heading", name="Preview: nothing is saved yet").wait_for()
    page.get_by_role("img", name="Traces kept by what decides").wait_for()
    row = page.get_by_role("row", name="rule not these")
    assert row.get_by_role("cell").all_inner_texts()[:3] == ["0", "0", "0"]
    assert int(row.get_by_role("cell").last.inner_text().replace(",", "")) >= 1
    expect_accessible(page)
    shots(page, "tracing-preview")
    assert is_size_kept(page, desk, DROPPED_BYTES)

    page.get_by_role("button", name="Save these settings").click()
    page.get_by_text("Revision 1 is saved").wait_for()
    until(lambda: not is_size_kept(page, desk, DROPPED_BYTES), "in force on uploads")
    until(lambda: is_everywhere(page, desk), "known to all workers")
    page.reload()
    page.get_by_text("all 2 sample by them").wait_for()

    page.get_by_role("link", name="History").click()
    page.get_by_text("they are noise").wait_for()
    assert f"+not these: never, when operation = PutObject and bytes = {DROPPED_BYTES}" in page.locator(
        ".setting-lines"
    ).first.inner_text().replace("\n", "")
    expect_accessible(page)
    shots(page, "tracing-history")
    page.get_by_role("button", name="Undo").click()
    page.get_by_text("Revision 2 is saved").wait_for()
    until(lambda: is_size_kept(page, desk, DROPPED_BYTES), "undone")


def test_rules_by_keyboard_and_a_fault_where_it_is(settings: Page, desk: Desk) -> None:
    page = settings
    for name, keep in (("first", "1%"), ("second", "always"), ("third", "never")):
        add_rule(page, name, f"bucket = {name}", keep)
    page.get_by_role("button", name="Move rule 3 up").press("Enter")
    assert names(page) == ["first", "third", "second"]
    page.keyboard.press("Enter")
    assert names(page) == ["third", "first", "second"]
    page.get_by_role("button", name="Remove rule 2").press("Enter")
    assert names(page) == ["third", "second"]

    ratio = page.get_by_label("Ratio")
    reset = page.get_by_role("button", name="Back to the file's: 1", exact=True)
    ratio.fill("1.5")
    rule_fields(page, "when").last.fill("bucket = uploads and bytes > big")
    page.get_by_role("button", name="Save", exact=True).press("Enter")
    page.get_by_role("heading", name="Please correct what is wrong below").wait_for()
    assert names(page) == ["third", "second"]
    assert page.locator(".tracing-place mark").inner_text() == "big"
    chosen = "e => [document.activeElement === e, e.value.slice(e.selectionStart, e.selectionEnd)]"
    assert rule_fields(page, "when").last.evaluate(chosen) == [True, "big"]
    assert ratio.get_attribute("aria-invalid") == "true"
    expect_accessible(page)
    shots(page, "tracing-faults")
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 800})
        assert fits(page)
    page.set_viewport_size({"width": 1280, "height": 800})

    reset.press("Enter")
    assert ratio.input_value() == "1"
    assert reset.is_hidden()
