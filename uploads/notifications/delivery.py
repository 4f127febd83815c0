"""One try to deliver an event: signed, traced, and what follows from the answer."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.utils import timezone

from tracing_app.api import AttributeValue, Stage, current_traceparent, inject_context
from tracing_app.deferred import deferred
from uploads.models import WebhookDelivery

from .config import WebhookConfig
from .queue import Try
from .signing import signed_headers
from .transport import Answer, DeliveryFailure, Transport

GONE: Final = 410
"""The receiver wants no more of it: Standard Webhooks, "Deliverability and Reliability"."""
USER_AGENT: Final = "mizuchi-uploadr"
_TOO_MANY: Final = 429


@dataclass(frozen=True, slots=True)
class Outcome:
    """``next_at`` is when a delivery that failed is tried again, None: not at all. ``is_outage``: it says
    something of the receiver, not of this event alone."""

    tried: Try
    is_outage: bool
    next_at: datetime | None
    answer: Answer | None = None

    @property
    def is_delivered(self) -> bool:
        return not self.tried.error


class _Refused(Exception):
    """An answer that is none of success, for the span: its status is the error's type."""

    def __init__(self, answer: Answer) -> None:
        super().__init__()
        self.code = str(answer.status)
        self.answer = answer


class Deliverer:
    """Tries deliveries of one webhook, with a connection of its own. For one thread at a time."""

    def __init__(self, webhook: WebhookConfig, clock: Callable[[], float] = time.time) -> None:
        self._webhook = webhook
        self._clock = clock
        self._transport = Transport(webhook)

    def deliver(self, delivery: WebhookDelivery) -> Outcome:
        """Try once. Nothing is raised for what a receiver does.

        The span is part of the upload's trace, which caused it; when somebody replays the event that is the
        cause, and a trace of its own is linked to the upload's.
        """
        attributes = self._attributes(delivery)
        with_upload = deferred(
            "webhook.deliver", attributes, delivery.trace_context, joins=not delivery.replays
        )
        began_at, began = timezone.now(), time.perf_counter()
        answer, failure, trace_id = None, None, ""
        try:
            with with_upload as current:
                trace_id = current_traceparent()[3:35]
                answer = self._send(delivery, current)
        except _Refused as refused:
            answer = refused.answer
        except DeliveryFailure as failed:
            failure = failed
        error = str(failure) if answer is None else _complaint(answer)
        tried = Try(
            began_at,
            (time.perf_counter() - began) * 1e3,
            answer.status if answer else None,
            error,
            trace_id,
        )
        return Outcome(tried, _is_outage(answer), self._next(delivery, answer), answer)

    def close(self) -> None:
        self._transport.close()

    def _send(self, delivery: WebhookDelivery, current: Stage) -> Answer:
        """Raises DeliveryFailure, _Refused."""
        body = delivery.payload.encode()
        headers = {
            "Content-Type": delivery.content_type,
            "User-Agent": USER_AGENT,
            **signed_headers(delivery.event_id, int(self._clock()), body, self._webhook.secrets),
        }
        inject_context(headers, self._webhook.host, self._webhook.port)
        answer = self._transport.post(body, headers)
        current.set("http.response.status_code", answer.status)
        if not answer.is_success:
            raise _Refused(answer)
        return answer

    def _attributes(self, delivery: WebhookDelivery) -> dict[str, AttributeValue]:
        attributes: dict[str, AttributeValue] = {
            "http.request.method": "POST",
            "url.scheme": "https" if self._webhook.is_tls else "http",
            "server.address": self._webhook.host,
            "server.port": self._webhook.port,
            "aws.s3.bucket": delivery.bucket,
            "mizuchi.webhook.name": self._webhook.name,
            "mizuchi.webhook.event": delivery.event_name,
            "mizuchi.webhook.event_id": delivery.event_id,
            "mizuchi.webhook.attempt": delivery.attempts + 1,
        }
        if delivery.attempts:
            attributes["http.request.resend_count"] = delivery.attempts
        if delivery.replays:
            attributes["mizuchi.webhook.replay"] = delivery.replays
        return attributes

    def _next(self, delivery: WebhookDelivery, answer: Answer | None) -> datetime | None:
        if answer is not None and (answer.is_success or answer.status == GONE):
            return None
        retry, attempts = self._webhook.retry, delivery.attempts + 1
        wanted = min(answer.retry_after_seconds, retry.max_seconds) if answer is not None else 0.0
        next_at = timezone.now() + timedelta(seconds=max(retry.delay_seconds(attempts), wanted))
        return None if retry.is_over(attempts, delivery.queued_at, next_at) else next_at


def _complaint(answer: Answer) -> str:
    return "" if answer.is_success else f"the receiver answered {answer.status}"


def _is_outage(answer: Answer | None) -> bool:
    return answer is None or answer.status >= 500 or answer.status == _TOO_MANY
