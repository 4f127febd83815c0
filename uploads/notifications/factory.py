"""Builds who sends, out of the configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING

from uploads.config import UploadsConfig

from .config import WebhookConfig

if TYPE_CHECKING:
    from .sender import WebhookSender


def configured_webhooks(config: UploadsConfig) -> list[tuple[str, WebhookConfig]]:
    """Every webhook, with its bucket."""
    return [(bucket.name, webhook) for bucket in config.buckets for webhook in bucket.webhooks]


def build_sender(config: UploadsConfig) -> WebhookSender | None:
    """None where there are no webhooks: then nothing of it is imported."""
    webhooks = configured_webhooks(config)
    if not webhooks:
        return None
    from .sender import WebhookSender

    return WebhookSender(webhooks, config.retention)
