"""Webhook deliveries in a browser: what could not be delivered is found, read and queued again."""

from __future__ import annotations

import json
import sqlite3
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tests.e2e.desk.running import BUCKET, Desk
from tests.e2e.desk.watched_page import expect_accessible, shots

if TYPE_CHECKING:
    from playwright.sync_api import Page

EVENT, REQUEST, TRACE = (digit * 32 for digit in "e7a")


def bury(desk: Desk) -> None:
    """A delivery that nobody took, of a webhook that the configuration has no more."""
    now = datetime.now(UTC).replace(tzinfo=None).isoformat(" ")
    tried = {
        "at": f"{now}+00:00",
        "ms": 12.5,
        "status": 503,
        "error": "the receiver answered 503",
        "trace_id": TRACE,
    }
    row = {
        "event_id": EVENT,
        "webhook": "indexer",
        "bucket": BUCKET,
        "key": "incoming/a rather long name of a photograph.jpg",
        "event_name": "ObjectCreated:Put",
        "request_id": REQUEST,
        "content_type": "application/json",
        "payload": json.dumps({"Records": [{"s3": {"object": {"key": "incoming/x.jpg"}}}]}),
        "trace_context": "{}",
        "state": "DEAD",
        "attempts": 16,
        "replays": 0,
        "created_at": now,
        "queued_at": now,
        "due_at": now,
        "claimed_by": "",
        "finished_at": now,
        "last_status": 503,
        "last_error": tried["error"],
        "history": json.dumps([tried]),
    }
    with sqlite3.connect(desk.log.parent / "var" / "mizuchi.sqlite3", timeout=20) as database:
        columns, marks = ", ".join(f'"{name}"' for name in row), ", ".join("?" * len(row))
        database.execute(
            f"INSERT INTO uploads_webhookdelivery ({columns}) VALUES ({marks})", list(row.values())
        )
    database.close()


def test_a_dead_letter_is_found_read_and_replayed(page: Page, desk: Desk) -> None:
    bury(desk)

    page.get_by_role("link", name="Webhook deliveries").first.click()
    page.get_by_role("link", name="Dead", exact=True).click()
    expect_accessible(page)
    shots(page, "deliveries")
    page.locator("#result_list a").first.click()
    page.get_by_text("the receiver answered 503").first.wait_for()
    expect_accessible(page)
    shots(page, "delivery")

    page.get_by_role("button", name="Replay").click()
    page.get_by_text("It waits already, or has no webhook.").wait_for()
    page.goto(f"{desk.url}/admin/uploads/webhookdelivery/?state__exact=DEAD")
    page.locator("input.action-select").check()
    page.locator("select[name=action]").select_option(label="Replay the selected deliveries")
    page.get_by_role("button", name="Go", exact=True).click()
    page.get_by_text("Deliveries queued again: 0.").wait_for()
    expect_accessible(page)
