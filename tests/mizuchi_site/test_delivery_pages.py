"""Operators see deliveries and replay them: on the desk, by REST and on the console."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.core.management import CommandError, call_command
from django.test import Client

from tests.mizuchi_site.members import client_of
from tests.mizuchi_site.webhook_site import configured_webhook
from tests.servers.webhook_receiver import webhook_receiver
from tests.uploads.notifications.webhook_rows import make_deliveries, make_webhook
from uploads.models import WebhookDelivery
from uploads.notifications.config import WebhookConfig

pytestmark = pytest.mark.django_db

State = WebhookDelivery.State
PAGES = "/admin/uploads/webhookdelivery/"
API = "/api/v1/webhooks/deliveries/"
ENDED: dict[str, Any] = {
    "state": State.DEAD,
    "attempts": 16,
    "finished_at": datetime(2026, 11, 30, tzinfo=UTC),
}
TRIED = {
    "at": "2026-11-30T20:15:00.123+00:00",
    "ms": 12.5,
    "status": 503,
    "error": "the receiver answered 503",
    "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
}


@pytest.fixture
def webhook() -> Iterator[WebhookConfig]:
    with configured_webhook() as webhook:
        yield webhook


@pytest.fixture
def operator(webhook: WebhookConfig) -> Client:
    return client_of("operator")


def states() -> list[str]:
    return list(WebhookDelivery.objects.order_by("id").values_list("state", flat=True))


def audited() -> list[str]:
    return list(LogEntry.objects.order_by("id").values_list("user__username", flat=True))


def post(client: Client, path: str, body: dict[str, Any]) -> Any:
    return client.post(path, json.dumps(body), "application/json")


def test_the_list_is_narrowed_by_state_and_webhook(operator: Client, webhook: WebhookConfig) -> None:
    make_deliveries(webhook, 1, key="a-dead-one", **ENDED)
    make_deliveries(webhook, 1, key="one-that-waits")
    make_deliveries(make_webhook(name="other"), 1, key="of-another")

    everything = operator.get(PAGES).content.decode()
    assert all(key in everything for key in ("a-dead-one", "one-that-waits", "of-another"))
    dead = operator.get(PAGES, {"state__exact": "DEAD"}).content.decode()
    assert "a-dead-one" in dead
    assert "one-that-waits" not in dead
    assert "of-another" not in operator.get(PAGES, {"to": "uploads/indexer"}).content.decode()


def test_a_page_tells_of_the_tries_and_has_no_secret(operator: Client, webhook: WebhookConfig) -> None:
    (dead,) = make_deliveries(webhook, 1, history=[TRIED], last_error=TRIED["error"], **ENDED)

    page = operator.get(f"{PAGES}{dead.pk}/change/").content.decode()

    assert "the receiver answered 503" in page
    assert f"/admin/traces/{TRIED['trace_id']}/" in page
    assert dead.event_id in page
    assert "/hook" not in page


def test_ticked_ones_are_replayed_and_audited(operator: Client, webhook: WebhookConfig) -> None:
    dead = make_deliveries(webhook, 2, **ENDED)
    make_deliveries(webhook, 1)
    (lost,) = make_deliveries(make_webhook(name="gone"), 1, **ENDED)

    form = {"action": "replay", "_selected_action": [each.pk for each in [*dead, lost]]}
    page = operator.post(PAGES, form, follow=True).content.decode()

    assert "Deliveries queued again: 2." in page
    assert states() == [State.PENDING, State.PENDING, State.PENDING, State.DEAD]
    assert audited() == ["operator-user"] * 2
    assert set(WebhookDelivery.objects.filter(replays=1).values_list("attempts", flat=True)) == {0}


def test_the_one_that_is_shown_is_replayed(operator: Client, webhook: WebhookConfig) -> None:
    (dead,) = make_deliveries(webhook, 1, **ENDED)
    address = f"{PAGES}{dead.pk}/change/"
    assert 'name="_replay"' in operator.get(address).content.decode()

    page = operator.post(address, {"_replay": "Replay"}, follow=True).content.decode()

    assert "Queued again." in page
    assert states() == [State.PENDING]
    assert audited() == ["operator-user"]


def test_a_viewer_sees_and_changes_nothing(webhook: WebhookConfig) -> None:
    (dead,) = make_deliveries(webhook, 1, **ENDED)
    viewer, address = client_of("viewer"), f"{PAGES}{dead.pk}/change/"
    assert 'name="_replay"' not in viewer.get(address).content.decode()

    assert viewer.post(address, {"_replay": "Replay"}).status_code == 403
    viewer.post(PAGES, {"action": "replay", "_selected_action": [dead.pk]})
    assert post(viewer, f"{API}{dead.pk}/replay/", {}).status_code == 403

    assert states() == [State.DEAD]
    assert audited() == []


def test_rest_lists_and_shows(operator: Client, webhook: WebhookConfig) -> None:
    (dead,) = make_deliveries(webhook, 1, history=[TRIED], **ENDED)
    make_deliveries(webhook, 1)

    listed = operator.get(API, {"state": "DEAD"}).json()
    assert [each["id"] for each in listed["results"]] == [dead.pk]
    assert "payload" not in listed["results"][0]
    shown = operator.get(f"{API}{dead.pk}/").json()
    assert shown["history"][0]["error"] == "the receiver answered 503"
    assert json.loads(shown["payload"])["id"] == dead.event_id
    for unknown in (dead.pk + 100, "x", "9" * 30):
        assert operator.get(f"{API}{unknown}/").status_code == 404


def test_rest_replays_one_and_many(operator: Client, webhook: WebhookConfig) -> None:
    first, second, third = make_deliveries(webhook, 3, **ENDED)

    assert post(operator, f"{API}{first.pk}/replay/", {}).json() == {"replayed": 1}
    assert post(operator, f"{API}{first.pk}/replay/", {}).json() == {"replayed": 0}
    ids = [first.pk, second.pk, third.pk + 100]
    assert post(operator, f"{API}replay/", {"ids": ids}).json() == {"replayed": 1}

    assert states() == [State.PENDING, State.PENDING, State.DEAD]
    assert audited() == ["operator-user"] * 2
    for wrong in ({}, {"ids": []}, {"ids": ["x"]}, {"ids": [1] * 501}):
        assert post(operator, f"{API}replay/", wrong).status_code == 400


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command("webhooks", *arguments, stdout=out)
    return out.getvalue()


def test_the_console_lists_and_replays(webhook: WebhookConfig) -> None:
    (dead,) = make_deliveries(webhook, 1, key="a-dead-one", last_error="no answer", **ENDED)
    make_deliveries(webhook, 1)

    listed = run("list", "--state", "DEAD", "--webhook", "uploads/indexer")
    assert "uploads/indexer  ObjectCreated:Put  a-dead-one  16 tries  no answer" in listed
    assert listed.startswith(f"{dead.pk}  ")
    assert run("replay", str(dead.pk)) == "1 queued again\n"
    assert run("replay", "--state", "DEAD") == "0 queued again\n"
    with pytest.raises(CommandError, match="all of a --state"):
        run("replay")


def test_the_console_tests_a_receiver() -> None:
    with webhook_receiver() as receiver, configured_webhook(receiver.url):
        told = run("test", "uploads/indexer")

        assert "answered 204" in told
        assert receiver.wait(1)[0].event["type"] == "mizuchi.s3.TestEvent"
        assert not WebhookDelivery.objects.exists()
        receiver.status = 500
        with pytest.raises(CommandError, match="the receiver answered 500"):
            run("test", "uploads/indexer")


def test_a_webhook_that_is_unknown_is_told_with_those_that_are_not(webhook: WebhookConfig) -> None:
    with pytest.raises(CommandError, match=r"no webhook 'uploads/other'.*: uploads/indexer"):
        run("test", "uploads/other")
