"""Quotas as operators see them: what there is, what is used, and the sums put right by the records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Sum

from uploads.models import QuotaReservation, QuotaUsage

from .rules import BucketQuota, Quota
from .usage import Account, count


@dataclass(frozen=True, slots=True)
class UsageSummary:
    """``principal`` "" is the bucket as a whole, ``limit`` None a bucket that has no quota any more."""

    bucket: str
    principal: str
    period: str
    used_bytes: int
    used_objects: int
    reserved_bytes: int
    reserved_objects: int
    limit: Quota | None


def usages(quotas: Mapping[str, BucketQuota], bucket: str | None = None) -> list[UsageSummary]:
    """Of every bucket and principal that uploaded since it has a quota, the newest period first. ``quotas``
    are the buckets', by name."""
    rows = QuotaUsage.objects.order_by("bucket", "-period", "principal")
    if bucket is not None:
        rows = rows.filter(bucket=bucket)
    return [_summary(row, quotas.get(row.bucket)) for row in rows]


def bucket_usage(bucket: str, quota: BucketQuota, period: str) -> UsageSummary:
    """Of the bucket as a whole, in a period in which perhaps nothing was uploaded yet."""
    row = QuotaUsage.objects.filter(bucket=bucket, principal="", period=period).first()
    return _summary(row or QuotaUsage(bucket=bucket, period=period), quota)


def _summary(row: QuotaUsage, quota: BucketQuota | None) -> UsageSummary:
    return UsageSummary(
        row.bucket,
        row.principal,
        row.period,
        row.used_bytes,
        row.used_objects,
        row.reserved_bytes,
        row.reserved_objects,
        None if quota is None else quota.of(row.principal),
    )


def recount() -> int:
    """Set every sum to what the records and reservations say; returns how many were wrong. Safe beside
    uploads: who would change a sum waits until this is done."""
    wrong = 0
    with transaction.atomic():
        for row in QuotaUsage.objects.select_for_update().order_by("bucket", "principal", "period"):
            used = count(Account(row.bucket, row.principal, row.period))
            held = QuotaReservation.objects.filter(record__bucket=row.bucket, period=row.period)
            if row.principal:
                held = held.filter(record__principal=row.principal)
            sums = held.aggregate(bytes=Sum("bytes", default=0), objects=Sum("object_count", default=0))
            right = (*used, sums["bytes"], sums["objects"])
            names = ("used_bytes", "used_objects", "reserved_bytes", "reserved_objects")
            if right != tuple(getattr(row, name) for name in names):
                QuotaUsage.objects.filter(pk=row.pk).update(**dict(zip(names, right, strict=True)))
                wrong += 1
    return wrong
