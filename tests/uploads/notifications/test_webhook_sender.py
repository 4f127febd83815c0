"""Deliveries reach a real receiver, are tried again, die, and stand in nobody's way.

The database of tests refuses threads that use it side by side: each test waits for those that send.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from tests.servers.webhook_receiver import WebhookReceiver, listening, webhook_receiver
from tests.uploads.notifications.webhook_rows import make_deliveries, make_webhook
from uploads.models import WebhookDelivery
from uploads.notifications import queue
from uploads.notifications.config import Retention, RetrySchedule, WebhookConfig
from uploads.notifications.retention import tidy
from uploads.notifications.sender import WebhookSender
from uploads.worker import worker_name

pytestmark = pytest.mark.django_db(transaction=True)

State = WebhookDelivery.State


@pytest.fixture
def receiver() -> Iterator[WebhookReceiver]:
    with webhook_receiver() as listening:
        yield listening


@pytest.fixture
def send() -> Iterator[Callable[..., WebhookSender]]:
    """Starts what there is to do for webhooks of the bucket ``uploads``, at once and not by the clock."""
    senders: list[WebhookSender] = []

    def look(*webhooks: WebhookConfig) -> WebhookSender:
        sender = WebhookSender([("uploads", webhook) for webhook in webhooks], Retention())
        senders.append(sender)
        sender.look()
        return sender

    yield look
    for sender in senders:
        sender.join(30)


def settled(delivery: WebhookDelivery, sender: WebhookSender) -> WebhookDelivery:
    """The delivery once nothing is being sent."""
    sender.join(30)
    return WebhookDelivery.objects.get(pk=delivery.pk)


def make_due() -> None:
    WebhookDelivery.objects.update(due_at=timezone.now())


def test_an_event_arrives_signed(receiver: WebhookReceiver, send: Any) -> None:
    webhook = make_webhook(url=receiver.url)
    (delivery,) = make_deliveries(webhook)

    sender = send(webhook)

    (received,) = receiver.wait(1)
    assert received.path == "/hook?token=of-the-query"
    assert received.headers["webhook-id"] == delivery.event_id
    assert received.headers["content-type"] == "application/cloudevents+json"
    assert received.body == delivery.payload.encode()
    found = settled(delivery, sender)
    assert (found.state, found.last_status, found.claimed_by) == (State.DELIVERED, 204, "")
    assert found.finished_at is not None
    assert [(each["status"], each["error"]) for each in found.history] == [(204, "")]


def test_a_receiver_that_is_down_and_up_again(send: Any) -> None:
    receiver = WebhookReceiver()
    receiver.gate.set()
    with listening(receiver):
        pass
    webhook = make_webhook(url=receiver.url)
    (delivery,) = make_deliveries(webhook)

    found = settled(delivery, send(webhook))
    assert (found.state, found.last_status) == (State.PENDING, None)
    assert found.last_error == f"127.0.0.1:{receiver.port} refuses connections"
    assert timedelta(seconds=25) < found.due_at - timezone.now() < timedelta(seconds=60)

    make_due()
    with listening(receiver):
        found = settled(delivery, send(webhook))
    assert found.state == State.DELIVERED
    assert len(found.history) == 2


@pytest.mark.parametrize("status", [302, 400, 500])
def test_no_answer_but_success_is_taken_for_one(receiver: WebhookReceiver, send: Any, status: int) -> None:
    receiver.status, receiver.headers = status, {"Location": f"{receiver.url}/elsewhere"}
    webhook = make_webhook(url=receiver.url)
    (delivery,) = make_deliveries(webhook)

    found = settled(delivery, send(webhook))

    assert (found.state, found.last_error) == (State.PENDING, f"the receiver answered {status}")
    assert receiver.tries == 1


def test_a_receiver_may_ask_for_a_longer_wait(receiver: WebhookReceiver, send: Any) -> None:
    receiver.status, receiver.headers = 503, {"Retry-After": "600"}
    webhook = make_webhook(url=receiver.url)
    (delivery,) = make_deliveries(webhook)

    assert settled(delivery, send(webhook)).due_at - timezone.now() > timedelta(seconds=590)


@pytest.mark.parametrize(
    ("status", "retry"),
    [
        (500, RetrySchedule(initial_seconds=60, max_attempts=1)),
        (500, RetrySchedule(initial_seconds=60, max_age_seconds=10)),
        (410, RetrySchedule()),
    ],
    ids=["enough tries", "too late", "gone"],
)
def test_it_dies_and_is_replayed(
    receiver: WebhookReceiver, send: Any, status: int, retry: RetrySchedule, caplog: pytest.LogCaptureFixture
) -> None:
    receiver.status = status
    webhook = make_webhook(url=receiver.url, retry=retry)
    (delivery,) = make_deliveries(webhook)
    assert settled(delivery, send(webhook)).state == State.DEAD
    assert delivery.event_id in caplog.text
    assert "key-0" not in caplog.text

    receiver.status = 204
    known, others = {("uploads", "indexer")}, {("uploads", "other")}
    assert queue.replay(WebhookDelivery.objects.all(), others) == []
    assert queue.replay(WebhookDelivery.objects.all(), known) == [delivery]
    assert queue.replay(WebhookDelivery.objects.all(), known) == [], "it waits already"
    found = settled(delivery, send(webhook))

    (received,) = receiver.wait(1)
    assert received.headers["webhook-id"] == delivery.event_id
    assert (found.state, found.replays, found.attempts, len(found.history)) == (State.DELIVERED, 1, 1, 2)


def test_a_slow_receiver_keeps_nobody_else_waiting(receiver: WebhookReceiver, send: Any) -> None:
    with webhook_receiver() as slow:
        slow.gate.clear()
        blocked = make_webhook(name="slow", url=slow.url)
        free = make_webhook(name="free", url=receiver.url)
        make_deliveries(blocked, 3)
        make_deliveries(free, 3)

        sender = send(blocked)
        slow.wait_for_tries(1)
        send(free).join(30)
        assert len(receiver.wait(3)) == 3
        assert slow.events == []
        slow.gate.set()
        slow.wait(3)
        sender.join(30)


def test_a_receiver_that_fails_on_end_is_left_alone_and_nothing_loses_its_tries(
    receiver: WebhookReceiver, send: Any, caplog: pytest.LogCaptureFixture
) -> None:
    receiver.status = 503
    webhook = make_webhook(url=receiver.url)
    make_deliveries(webhook, 8)

    sender = send(webhook)

    sender.join(30)
    sender.look()
    sender.join(30)
    assert receiver.tries == 5
    assert not WebhookDelivery.objects.exclude(claimed_by="").exists()
    assert sorted(WebhookDelivery.objects.values_list("attempts", flat=True)) == [0] * 3 + [1] * 5
    assert caplog.text.count("is left alone") == 1
    assert "hook?" not in caplog.text


def test_a_delivery_is_claimed_by_one(receiver: WebhookReceiver) -> None:
    webhook = make_webhook()
    make_deliveries(webhook, 5)

    first = queue.claim("uploads", "indexer", limit=3, lease_seconds=60)
    second = queue.claim("uploads", "indexer", limit=3, lease_seconds=60)

    assert (len(first), len(second)) == (3, 2)
    assert not {each.pk for each in first} & {each.pk for each in second}
    queue.give_back(first)
    assert len(queue.claim("uploads", "indexer", limit=9, lease_seconds=60)) == 3


def test_claims_that_nobody_keeps_are_free(receiver: WebhookReceiver) -> None:
    host = worker_name().partition(":")[0]
    webhook, later = make_webhook(), timezone.now() + timedelta(hours=1)
    make_deliveries(webhook, 1, claimed_by=f"{host}:4194305:1", due_at=later)
    make_deliveries(webhook, 1, claimed_by="elsewhere:1:1", due_at=timezone.now())
    make_deliveries(webhook, 1, claimed_by="elsewhere:1:1", due_at=later)

    assert queue.free_claims_of_the_dead() == 1

    assert len(queue.claim("uploads", "indexer", limit=9, lease_seconds=60)) == 2


def test_a_claim_that_was_lost_changes_nothing_when_it_fails(receiver: WebhookReceiver) -> None:
    make_deliveries(make_webhook(), 1)
    (mine,) = queue.claim("uploads", "indexer", limit=1, lease_seconds=60)
    WebhookDelivery.objects.update(claimed_by="another:1:1")

    tried = queue.Try(timezone.now(), 1.0, None, "no answer", "")
    queue.failed(mine, tried, None)

    found = WebhookDelivery.objects.get()
    assert (found.state, found.claimed_by) == (State.PENDING, "another:1:1")


def ages(state: str) -> list[float]:
    """Days since their end."""
    ended = WebhookDelivery.objects.filter(state=state).values_list("finished_at", flat=True)
    return sorted(round((timezone.now() - moment) / timedelta(days=1)) for moment in ended if moment)


def test_what_ended_is_kept_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    webhook, now = make_webhook(), timezone.now()
    for state in (State.DELIVERED, State.DEAD):
        for days in (1, 10, 40):
            make_deliveries(webhook, 1, state=state, finished_at=now - timedelta(days=days))

    tidy([("uploads", webhook)], Retention())
    assert (ages(State.DELIVERED), ages(State.DEAD)) == ([1], [1, 10])

    monkeypatch.setattr("uploads.notifications.retention.MAX_KEPT", 1)
    tidy([("uploads", webhook)], Retention())
    assert (ages(State.DELIVERED), ages(State.DEAD)) == ([1], [10])


def test_what_waits_too_long_dies(receiver: WebhookReceiver) -> None:
    webhook, now = make_webhook(), timezone.now()
    queued = {"old": 73.0, "young": 71.0}
    for key, hours in queued.items():
        make_deliveries(webhook, 1, key=key, queued_at=now - timedelta(hours=hours))
    gone = make_webhook(name="gone")
    make_deliveries(gone, 1, key="of-no-webhook", queued_at=now - timedelta(hours=2))
    make_deliveries(gone, 1, key="of-a-new-one", queued_at=now)

    tidy([("uploads", webhook)], Retention())

    dead = dict(WebhookDelivery.objects.filter(state=State.DEAD).values_list("key", "last_error"))
    assert dead == {
        "old": "it waited too long for its receiver",
        "of-no-webhook": "its webhook is not configured",
    }


def test_the_thread_sends_what_is_written_and_ends_at_once(receiver: WebhookReceiver) -> None:
    webhook = make_webhook(url=receiver.url)
    make_deliveries(webhook, 3)
    sender = WebhookSender([("uploads", webhook)], Retention())
    sender.start()
    try:
        receiver.wait(3)
    finally:
        began = time.monotonic()
        sender.stop()
    assert time.monotonic() - began < 2
    assert not {"webhooks", "webhook indexer"} & {thread.name for thread in threading.enumerate()}
    assert WebhookDelivery.objects.filter(state=State.DELIVERED).count() == 3
