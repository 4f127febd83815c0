"""Readiness of what uploads need: the database and each storage."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from django.db import connection

from tracing_app.health.base import Check
from uploads.gateway import Bucket, Gateway
from uploads.models import UploadRecord


def checks(gateway: Gateway) -> Sequence[Check]:
    """One check for the database, one for each bucket's storage, and one for where limits are counted."""
    storages = [
        Check(f"storage:{name}", partial(_storage, bucket)) for name, bucket in gateway.buckets.items()
    ]
    shared = [] if gateway.throttle is None else [Check("cache", gateway.throttle.check, is_vital=False)]
    return [Check("database", _database), *storages, *shared]


def _database() -> str:
    """Reachable, and migrated."""
    UploadRecord.objects.exists()
    return connection.vendor


def _storage(bucket: Bucket) -> str:
    bucket.backend.check(bucket.target)
    return bucket.backend.name
