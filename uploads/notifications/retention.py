"""Keeps the table of deliveries within bounds."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from django.db.models import QuerySet
from django.utils import timezone

from uploads.models import WebhookDelivery

from .config import Retention, WebhookConfig

State = WebhookDelivery.State
MAX_KEPT: Final = 100_000
"""Of those that were delivered, and of dead ones: the oldest beyond go."""
_BATCH: Final = 1000
_UNKNOWN_SECONDS: Final = 3600.0


def tidy(webhooks: Sequence[tuple[str, WebhookConfig]], retention: Retention) -> None:
    """End what waited too long, delete what ended long ago. Raises DatabaseError."""
    now = timezone.now()
    _end_the_old(webhooks, now)
    for state, seconds in (
        (State.DELIVERED, retention.delivered_seconds),
        (State.DEAD, retention.dead_seconds),
    ):
        ended = WebhookDelivery.objects.filter(state=state)
        _delete(ended.filter(finished_at__lt=now - timedelta(seconds=seconds)))
        beyond = ended.order_by("-id").values_list("id", flat=True)[MAX_KEPT : MAX_KEPT + 1]
        for newest_of_the_rest in beyond:
            _delete(ended.filter(id__lte=newest_of_the_rest))


def _end_the_old(webhooks: Sequence[tuple[str, WebhookConfig]], now: datetime) -> None:
    """Those that nobody came to try while their receiver was left alone, and those of webhooks that are no
    more in the configuration; not at once, for nodes may read a new one one after the other."""
    known = {(bucket, webhook.name): webhook for bucket, webhook in webhooks}
    waiting = WebhookDelivery.objects.filter(state=State.PENDING, due_at__lte=now)
    for bucket, name in waiting.order_by().values_list("bucket", "webhook").distinct():
        webhook = known.get((bucket, name))
        seconds = _UNKNOWN_SECONDS if webhook is None else webhook.retry.max_age_seconds
        error = "its webhook is not configured" if webhook is None else "it waited too long for its receiver"
        waiting.filter(bucket=bucket, webhook=name, queued_at__lt=now - timedelta(seconds=seconds)).update(
            state=State.DEAD, finished_at=now, last_error=error, claimed_by=""
        )


def _delete(deliveries: QuerySet[WebhookDelivery]) -> None:
    """In pieces: a transaction that deletes all of them keeps uploads from writing theirs."""
    while batch := list(deliveries.order_by("id").values_list("id", flat=True)[:_BATCH]):
        WebhookDelivery.objects.filter(pk__in=batch).delete()
