"""Replaying deliveries of the webhooks that this gateway is configured with."""

from __future__ import annotations

from django.db import transaction
from django.db.models import QuerySet

from uploads.apps import configured_gateway
from uploads.models import WebhookDelivery

from . import queue
from .factory import configured_webhooks
from .outbox import WRITTEN


def replay(deliveries: QuerySet[WebhookDelivery]) -> list[WebhookDelivery]:
    """Queue again the oldest of them that are over and whose webhook there still is; returns those.
    Raises DatabaseError."""
    webhooks = configured_webhooks(configured_gateway().config)
    replayed = queue.replay(deliveries, {(bucket, webhook.name) for bucket, webhook in webhooks})
    if replayed:
        transaction.on_commit(WRITTEN.set)
    return replayed
