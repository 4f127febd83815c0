"""The deliveries that wait: claimed by one worker at a time, settled by what came of a try.

A claim is a time: a delivery that is claimed is due again when its worker has said nothing until then. So
nothing is lost with a worker or a node, on any database.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import connections, router, transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from uploads.models import WebhookDelivery
from uploads.worker import is_dead, worker_name

State = WebhookDelivery.State
MAX_HISTORY: Final = 20
"""Tries that a delivery remembers."""
MAX_REPLAYED: Final = 500
"""Deliveries queued again at once."""


@dataclass(frozen=True, slots=True)
class Try:
    """What came of one try. ``error`` is empty when the receiver took the event; ``status`` is None when
    there was no answer; ``trace_id`` is where the try is traced, "" where it is not."""

    began_at: datetime
    milliseconds: float
    status: int | None
    error: str
    trace_id: str

    def as_row(self) -> dict[str, Any]:
        return {
            "at": self.began_at.isoformat(timespec="milliseconds"),
            "ms": round(self.milliseconds, 1),
            "status": self.status,
            "error": self.error,
            "trace_id": self.trace_id,
        }


def has_due(bucket: str, webhook: str) -> bool:
    """Whether any delivery waits to be sent now. Raises DatabaseError."""
    return _due(bucket, webhook).exists()


def claim(bucket: str, webhook: str, *, limit: int, lease_seconds: float) -> list[WebhookDelivery]:
    """Those due the longest, which are this worker's for so long. Raises DatabaseError."""
    alias = router.db_for_write(WebhookDelivery)
    due = _due(bucket, webhook).using(alias).order_by("due_at", "id")
    if connections[alias].features.has_select_for_update_skip_locked:
        due = due.select_for_update(skip_locked=True)
    with transaction.atomic(using=alias):
        claimed = list(due[:limit])
        WebhookDelivery.objects.filter(pk__in=[each.pk for each in claimed]).update(
            due_at=timezone.now() + timedelta(seconds=lease_seconds), claimed_by=worker_name()
        )
    return claimed


def give_back(deliveries: Iterable[WebhookDelivery]) -> None:
    """Claimed ones that were not tried: anybody may have them now. Raises DatabaseError."""
    _mine(deliveries).update(due_at=timezone.now(), claimed_by="")


def delivered(delivery: WebhookDelivery, tried: Try) -> None:
    """The receiver took it. Raises DatabaseError."""
    waiting = WebhookDelivery.objects.filter(pk=delivery.pk, state=State.PENDING)
    waiting.update(state=State.DELIVERED, finished_at=timezone.now(), **_tried(delivery, tried))


def failed(delivery: WebhookDelivery, tried: Try, next_at: datetime | None) -> None:
    """It is tried again at ``next_at``; None: it is dead. Raises DatabaseError."""
    dead = {"state": State.DEAD, "finished_at": timezone.now()}
    ending = dead if next_at is None else {"due_at": next_at}
    _mine([delivery]).update(**ending, **_tried(delivery, tried))


def free_claims_of_the_dead() -> int:
    """What processes of this host had claimed when they died waits for nobody. Returns how many there were.
    Raises DatabaseError."""
    claimed = WebhookDelivery.objects.filter(state=State.PENDING).exclude(claimed_by="")
    dead = [name for name in claimed.values_list("claimed_by", flat=True).distinct() if is_dead(name)]
    return claimed.filter(claimed_by__in=dead).update(due_at=timezone.now(), claimed_by="")


def replay(
    deliveries: QuerySet[WebhookDelivery], known: Collection[tuple[str, str]]
) -> list[WebhookDelivery]:
    """Queue again what is delivered or dead, with all its tries before it: the oldest ``MAX_REPLAYED``, of
    the ``known`` webhooks, each by bucket and name. Returns those. Raises DatabaseError."""
    now, ended = timezone.now(), deliveries.exclude(state=State.PENDING).defer("payload", "history")
    of_known = Q(pk__in=())
    for bucket, webhook in known:
        of_known |= Q(bucket=bucket, webhook=webhook)
    replayed = list(ended.filter(of_known).order_by("id")[:MAX_REPLAYED])
    WebhookDelivery.objects.filter(pk__in=[each.pk for each in replayed]).update(
        state=State.PENDING,
        attempts=0,
        replays=F("replays") + 1,
        queued_at=now,
        due_at=now,
        claimed_by="",
        finished_at=None,
    )
    return replayed


def _due(bucket: str, webhook: str) -> QuerySet[WebhookDelivery]:
    return WebhookDelivery.objects.filter(
        bucket=bucket, webhook=webhook, state=State.PENDING, due_at__lte=timezone.now()
    )


def _mine(deliveries: Iterable[WebhookDelivery]) -> QuerySet[WebhookDelivery]:
    """But for those that another worker has claimed since, or somebody replayed."""
    return WebhookDelivery.objects.filter(
        pk__in=[each.pk for each in deliveries], state=State.PENDING, claimed_by=worker_name()
    )


def _tried(delivery: WebhookDelivery, tried: Try) -> dict[str, Any]:
    return {
        "attempts": delivery.attempts + 1,
        "last_status": tried.status,
        "last_error": tried.error[:255],
        "claimed_by": "",
        "history": [*delivery.history, tried.as_row()][-MAX_HISTORY:],
    }
