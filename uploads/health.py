"""Readiness of what uploads need: the database and each storage."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from django.db import connection

from tracing_app.health.base import Check
from uploads.gateway import Bucket, Gateway
from uploads.models import UploadRecord


def checks(gateway: Gateway) -> Sequence[Check]:
    """One check for the database and one for each bucket's storage."""
    storages = [
        Check(f"storage:{name}", partial(_storage, bucket)) for name, bucket in gateway.buckets.items()
    ]
    return [Check("database", _database), *storages]


def _database() -> str:
    """Reachable, and migrated."""
    UploadRecord.objects.exists()
    return connection.vendor


def _storage(bucket: Bucket) -> str:
    bucket.backend.check(bucket.target)
    return bucket.backend.name
