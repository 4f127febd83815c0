"""What metrics say of webhooks: events that wait or were given up, of those in the configuration."""

from __future__ import annotations

import pytest

from tests.uploads.notifications.webhook_rows import make_deliveries, make_webhook
from tracing_app.metrics.readings import Readings
from uploads.models import WebhookDelivery
from uploads.notifications.metrics import KNOWN_SECONDS, UNDELIVERED, Undelivered

State = WebhookDelivery.State


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.django_db
def test_those_that_wait_and_those_given_up_are_counted_by_webhook() -> None:
    webhook = make_webhook()
    make_deliveries(webhook, 2)
    for state in (State.DEAD, State.DELIVERED):
        make_deliveries(webhook, 1, state=state)
    make_deliveries(make_webhook(name="not-configured-any-more"), 1)
    clock = Clock()
    undelivered = Undelivered([("uploads", "indexer"), ("uploads", "idle")], clock)
    assert not list(undelivered.collect()), "nobody has looked"

    undelivered.look()

    assert Readings(undelivered.collect()).of(UNDELIVERED) == {
        ("uploads", "indexer", "pending"): 2.0,
        ("uploads", "indexer", "dead"): 1.0,
        ("uploads", "idle", "pending"): 0.0,
        ("uploads", "idle", "dead"): 0.0,
    }
    clock.now += KNOWN_SECONDS
    assert not list(undelivered.collect()), "too old"


def test_without_webhooks_the_database_is_not_asked() -> None:
    Undelivered([]).look()
