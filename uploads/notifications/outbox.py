"""What is written with the record of an upload: a delivery for each webhook that wants its event."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence

from tracing_app.api import inject_context
from uploads.models import WebhookDelivery

from .config import WebhookConfig
from .event import ObjectStored
from .payload import CONTENT_TYPES, payload

WRITTEN = threading.Event()
"""Set when this process wrote deliveries: who sends them need not wait for the next time it looks."""


class BucketWebhooks:
    """The webhooks of one bucket, by name."""

    def __init__(self, webhooks: Sequence[WebhookConfig]) -> None:
        self.by_name: Mapping[str, WebhookConfig] = {webhook.name: webhook for webhook in webhooks}

    def deliveries(self, event: ObjectStored) -> list[WebhookDelivery]:
        """Rows that are still to be written. The trace under way goes along in them."""
        return [delivery_of(event, webhook) for webhook in self.by_name.values() if is_wanted(event, webhook)]


def is_wanted(event: ObjectStored, webhook: WebhookConfig) -> bool:
    """Whether its filters let the event through."""
    return (
        event.name in webhook.events
        and event.key.startswith(webhook.prefix)
        and event.key.endswith(webhook.suffix)
    )


def delivery_of(event: ObjectStored, webhook: WebhookConfig) -> WebhookDelivery:
    """The event for that webhook, whatever its filters say."""
    context: dict[str, str] = {}
    inject_context(context, webhook.host, webhook.port)
    return WebhookDelivery(
        event_id=event.event_id,
        webhook=webhook.name,
        bucket=event.bucket,
        key=event.key,
        event_name=event.name,
        request_id=event.request_id,
        content_type=CONTENT_TYPES[webhook.format],
        payload=payload(event, webhook.name, webhook.format, context),
        trace_context=context,
        created_at=event.occurred_at,
        queued_at=event.occurred_at,
        due_at=event.occurred_at,
    )
