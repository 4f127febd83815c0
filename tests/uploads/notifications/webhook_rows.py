"""Webhooks, events and deliveries as a test wants them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.utils import timezone

from tests.servers.webhook_receiver import SECRET
from uploads.models import WebhookDelivery
from uploads.notifications.config import RetrySchedule, WebhookConfig
from uploads.notifications.event import EVENT_NAMES, PUT, ObjectStored
from uploads.notifications.outbox import delivery_of
from uploads.notifications.signing import parse_secret

MOMENT = datetime(2026, 11, 30, 20, 15, 0, 123456, tzinfo=UTC)


def make_webhook(**fields: Any) -> WebhookConfig:
    values: dict[str, Any] = {
        "name": "indexer",
        "url": "http://127.0.0.1:1/hook",
        "secrets": (parse_secret(SECRET),),
        "events": frozenset(EVENT_NAMES),
        "timeout_seconds": 5.0,
        "concurrency": 1,
        "retry": RetrySchedule(initial_seconds=60),
    }
    return WebhookConfig(**values | fields)


def make_event(**fields: Any) -> ObjectStored:
    values: dict[str, Any] = {
        "name": PUT,
        "bucket": "uploads",
        "key": "incoming/red flower+ä.jpg",
        "size": 1024,
        "etag": "9b2cf535f27731c974343645a3985328",
        "version_id": "",
        "checksums": {"crc32": "AAAAAA=="},
        "content_type": "image/jpeg",
        "principal": "alice",
        "request_id": "4bf92f3577b34da6a3ce929d0e0e4736",
        "occurred_at": MOMENT,
    }
    return ObjectStored(**values | fields)


def make_deliveries(webhook: WebhookConfig, number: int = 1, **fields: Any) -> list[WebhookDelivery]:
    """Deliveries of as many events that are due now, but for ``fields``."""
    made = []
    for each in range(number):
        delivery = delivery_of(make_event(key=f"key-{each}", occurred_at=timezone.now()), webhook)
        for name, value in fields.items():
            setattr(delivery, name, value)
        delivery.save()
        made.append(delivery)
    return made
