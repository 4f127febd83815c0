"""The bucket ``uploads`` of this process with a webhook ``indexer``, and deliveries to it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from django.conf import settings

from authz.authentication import configured_authenticator
from tests.uploads.notifications.webhook_rows import make_webhook
from uploads.apps import uploads_app
from uploads.gateway import build_gateway
from uploads.notifications.config import WebhookConfig


@contextmanager
def configured_webhook(url: str = "http://127.0.0.1:1/hook") -> Iterator[WebhookConfig]:
    webhook, app = make_webhook(url=url), uploads_app()
    (bucket,) = settings.UPLOADS.buckets
    config = replace(settings.UPLOADS, buckets=(replace(bucket, webhooks=(webhook,)),))
    before = app.gateway
    app.gateway = build_gateway(config, configured_authenticator())
    try:
        yield webhook
    finally:
        app.gateway = before
