"""The metrics of webhooks: what came of tries, and what waits or is dead, as the database knows."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from django.db.models import Count

from tracing_app.api import Counter, Gauge, Label, Reading
from uploads.models import WebhookDelivery

KNOWN_SECONDS: Final = 30.0
"""How long it is taken to be as it was."""

_WEBHOOK: Final = (Label("bucket", "aws.s3.bucket"), Label("webhook", "mizuchi.webhook.name"))
_PENDING, _DEAD = WebhookDelivery.State.PENDING, WebhookDelivery.State.DEAD

TRIES = Counter(
    "mizuchi_webhook_tries",
    "Tries to deliver an event: it was delivered, it failed and is tried again, or it is dead.",
    otlp="mizuchi.webhook.tries",
    labels=(*_WEBHOOK, Label("outcome", "mizuchi.webhook.outcome")),
)
UNDELIVERED = Gauge(
    "mizuchi_webhook_undelivered",
    "Events that wait to be delivered (pending) or were given up (dead), of all nodes together.",
    otlp="mizuchi.webhook.undelivered",
    labels=(*_WEBHOOK, Label("state", "mizuchi.webhook.state")),
    is_maximum=True,
)


class Undelivered:
    """Of ``webhooks``, each with its bucket. ``look`` asks the database; what it said is told until it is too
    old: nobody waits for a database that is away."""

    def __init__(
        self, webhooks: Sequence[tuple[str, str]], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._nothing = {
            (bucket, webhook, state.lower()): 0 for bucket, webhook in webhooks for state in (_PENDING, _DEAD)
        }
        self._clock = clock
        self._looked_at = -KNOWN_SECONDS
        self._counts: Mapping[tuple[str, str, str], int] = {}

    def look(self) -> None:
        """One query, none without webhooks. Raises DatabaseError."""
        if not self._nothing:
            return
        waiting = WebhookDelivery.objects.filter(state__in=(_PENDING, _DEAD)).order_by()
        counted = waiting.values_list("bucket", "webhook", "state").annotate(events=Count("id"))
        found = {(bucket, webhook, state.lower()): events for bucket, webhook, state, events in counted}
        self._counts = self._nothing | {key: found[key] for key in found.keys() & self._nothing}
        self._looked_at = self._clock()

    def collect(self) -> Iterator[Reading]:
        """What is known."""
        if self._clock() - self._looked_at < KNOWN_SECONDS:
            yield from ((UNDELIVERED, key, float(count)) for key, count in self._counts.items())
