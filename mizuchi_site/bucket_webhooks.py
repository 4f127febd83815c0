"""What the uploads room is told of webhooks, out of the configuration."""

from __future__ import annotations

from mizuchi_site.config.webhooks import DeliveriesSection, WebhookSection
from uploads.notifications.config import Retention, RetrySchedule, WebhookConfig
from uploads.notifications.event import EVENT_NAMES
from uploads.notifications.signing import parse_secret

_DAY_SECONDS = 86400.0


def webhook(section: WebhookSection) -> WebhookConfig:
    """One receiver of a bucket's events."""
    retry = section.retry
    return WebhookConfig(
        name=section.name,
        url=section.url.get_secret_value(),
        secrets=tuple(parse_secret(secret.get_secret_value()) for secret in section.secrets),
        format=section.format,
        events=frozenset(name for name in EVENT_NAMES if _is_listed(name, section.events)),
        prefix=section.prefix,
        suffix=section.suffix,
        timeout_seconds=section.timeout_seconds,
        concurrency=section.concurrency,
        ca_file=section.ca_file,
        retry=RetrySchedule(
            initial_seconds=retry.initial_seconds,
            max_seconds=retry.max_seconds,
            max_attempts=retry.max_attempts,
            max_age_seconds=retry.max_age_hours * 3600,
        ),
    )


def retention(section: DeliveriesSection) -> Retention:
    """How long deliveries are kept after their end."""
    return Retention(
        delivered_seconds=section.keep_delivered_days * _DAY_SECONDS,
        dead_seconds=section.keep_dead_days * _DAY_SECONDS,
    )


def _is_listed(name: str, listed: tuple[str, ...]) -> bool:
    return "s3:ObjectCreated:*" in listed or f"s3:{name}" in listed
