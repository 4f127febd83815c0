"""What there is to know about each bucket of the configuration, for the desk and the REST API."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

from django.utils import timezone

from authz.apps import authz_app
from authz.bucket_access import BucketAccess, bucket_access
from mizuchi_site.storage_watch import StorageWatch
from tracing_app.health.base import Check
from uploads import health
from uploads.apps import configured_gateway
from uploads.config import (
    BucketConfig,
    FilesystemStorageConfig,
    Limits,
    S3StorageConfig,
    StorageConfig,
)
from uploads.quotas.rules import BucketQuota, Period, Quota
from uploads.quotas.summary import bucket_usage
from uploads.throttle.rules import Rate

_PREFIX = "storage:"
AWS = "AWS"


@dataclass(frozen=True, slots=True)
class StorageOverview:
    """Where objects go. ``place`` is a folder, an endpoint (``AWS`` without one) or a class; ``target`` the
    folder or bucket in it, in which keys begin with ``prefix``."""

    name: str
    kind: Literal["filesystem", "s3", "django"]
    place: str
    target: str
    prefix: str


@dataclass(frozen=True, slots=True)
class HealthOverview:
    """Whether the storage answers now; ``detail`` says why not."""

    is_ok: bool
    detail: str
    seconds: float


@dataclass(frozen=True, slots=True)
class EngineOutage:
    """An engine that the answering worker leaves alone after failures."""

    engine: str
    detail: str


@dataclass(frozen=True, slots=True)
class QuotaOverview:
    """What is used of the bucket's quota in the ``period`` that is now ("" with ``per`` total), by all
    principals together, and what uploads under way have reserved. ``principal`` is what each of them may."""

    per: Period
    period: str
    used_bytes: int
    used_objects: int
    reserved_bytes: int
    reserved_objects: int
    bucket: Quota
    principal: Quota


@dataclass(frozen=True, slots=True)
class BucketOverview:
    """``throttle`` is for each principal in the bucket, ``origins`` whose pages may talk to it."""

    name: str
    storage: StorageOverview
    health: HealthOverview
    limits: Limits
    throttle: Rate
    quota: QuotaOverview | None
    origins: tuple[str, ...]
    access: BucketAccess
    outages: tuple[EngineOutage, ...]


def bucket_overviews() -> tuple[BucketOverview, ...]:
    """In the order of the configuration. Takes two seconds at most, whatever the storages do."""
    config, room = configured_gateway().config, authz_app()
    storages = {storage.name: storage for storage in config.storages}
    outcomes = _watch().outcomes()
    found = []
    for bucket in config.buckets:
        outcome = outcomes[_PREFIX + bucket.name]
        found.append(
            BucketOverview(
                name=bucket.name,
                storage=_storage(bucket, storages[bucket.storage]),
                health=HealthOverview(outcome.status == "ok", outcome.detail, outcome.seconds),
                limits=bucket.limits,
                throttle=config.throttle.buckets.get(bucket.name, Rate()),
                quota=None if bucket.quota is None else _quota(bucket.name, bucket.quota),
                origins=tuple(origin for rule in bucket.cors for origin in rule.allowed_origins),
                access=bucket_access(room.config.buckets[bucket.name], room.config.policies.get(bucket.name)),
                outages=_outages(bucket.name),
            )
        )
    return tuple(found)


def _quota(bucket: str, quota: BucketQuota) -> QuotaOverview:
    period = quota.period(timezone.now())
    usage = bucket_usage(bucket, quota, period)
    return QuotaOverview(
        per=quota.per,
        period=period,
        used_bytes=usage.used_bytes,
        used_objects=usage.used_objects,
        reserved_bytes=usage.reserved_bytes,
        reserved_objects=usage.reserved_objects,
        bucket=quota.bucket,
        principal=quota.principal,
    )


@cache
def _watch() -> StorageWatch:
    return StorageWatch(_storage_checks)


def _storage_checks() -> Sequence[Check]:
    return [check for check in health.checks(configured_gateway()) if check.name.startswith(_PREFIX)]


def _storage(bucket: BucketConfig, storage: StorageConfig) -> StorageOverview:
    kind: Literal["filesystem", "s3", "django"]
    if isinstance(storage, FilesystemStorageConfig):
        kind, place = "filesystem", str(storage.location)
    elif isinstance(storage, S3StorageConfig):
        kind, place = "s3", storage.endpoint or AWS
    else:
        kind, place = "django", storage.backend
    return StorageOverview(storage.name, kind, place, bucket.target, bucket.prefix)


def _outages(bucket: str) -> tuple[EngineOutage, ...]:
    policy = authz_app().authorizer.policies.get(bucket)
    engines = () if policy is None else policy.engines
    return tuple(EngineOutage(engine.name, str(engine.outage)) for engine in engines if engine.outage)
