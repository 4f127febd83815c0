"""The sums that quotas are compared with. All but ``count`` is for inside of a transaction.

The row of a bucket is always locked before that of a principal in it: transactions wait for each other, and
never both ways. Every bucket with a quota has both, whatever its quota limits.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Final, NamedTuple

from django.db.models import Count, F, QuerySet, Sum

from uploads.models import QuotaUsage, UploadRecord
from uploads.s3.errors import QuotaExceeded

from .rules import BucketQuota, Quota


class Account(NamedTuple):
    """A principal in a bucket, in one period."""

    bucket: str
    principal: str
    period: str


class Amount(NamedTuple):
    bytes: int
    objects: int


NOTHING: Final = Amount(0, 0)
_KEPT_DAYS: Final = 62


def reserve(account: Account, quota: BucketQuota, amount: Amount) -> None:
    """Add to what is reserved, of the bucket and of the principal. Raises QuotaExceeded, which is for ending
    the transaction: one of the two may have been added to."""
    for owner in ("", account.principal):
        _reserve(account._replace(principal=owner), quota.of(owner), amount)


def _reserve(account: Account, limit: Quota, amount: Amount) -> None:
    """One statement compares and adds: whoever else does so waits, and sees the sum of both."""
    fitting = _row(account)
    if limit.max_bytes is not None and amount.bytes:
        fitting = fitting.filter(used_bytes__lte=limit.max_bytes - amount.bytes - F("reserved_bytes"))
    if limit.max_objects is not None and amount.objects:
        fitting = fitting.filter(used_objects__lte=limit.max_objects - amount.objects - F("reserved_objects"))
    if _add(fitting, reserved=amount):
        return
    if not _row(account).exists():
        _open(account)
        _reserve(account, limit, amount)
        return
    raise QuotaExceeded(reason=_reason(account, limit, amount))


def _reason(account: Account, limit: Quota, amount: Amount) -> str:
    owner = "principal" if account.principal else "bucket"
    row = _row(account).get()
    has_room = limit.max_bytes is None or (
        row.used_bytes + row.reserved_bytes + amount.bytes <= limit.max_bytes
    )
    return f"{owner}_{'objects' if has_room else 'bytes'}"


def end(account: Account, reserved: Amount, stored: Amount) -> None:
    """Of what was ``reserved`` so much was ``stored``, and the rest is free again."""
    for owner in ("", account.principal):
        _add(_row(account._replace(principal=owner)), Amount(-reserved.bytes, -reserved.objects), stored)


def _add(rows: QuerySet[QuotaUsage], reserved: Amount, used: Amount = NOTHING) -> int:
    changes = {
        "reserved_bytes": F("reserved_bytes") + reserved.bytes,
        "reserved_objects": F("reserved_objects") + reserved.objects,
    }
    if used != NOTHING:
        changes["used_bytes"] = F("used_bytes") + used.bytes
        changes["used_objects"] = F("used_objects") + used.objects
    return rows.update(**changes)


def _row(account: Account) -> QuerySet[QuotaUsage]:
    return QuotaUsage.objects.filter(**account._asdict())


def _open(account: Account) -> None:
    """Begin the sums of an account, with what was stored before anybody counted. Who does so at the same time
    waits, and finds the row."""
    used = count(account)
    row = QuotaUsage(**account._asdict(), used_bytes=used.bytes, used_objects=used.objects)
    QuotaUsage.objects.bulk_create([row], ignore_conflicts=True)


def count(account: Account) -> Amount:
    """What the records say is stored; of the whole bucket when the principal is empty."""
    stored = UploadRecord.objects.filter(state=UploadRecord.State.STORED, bucket=account.bucket)
    if account.principal:
        stored = stored.filter(principal=account.principal)
    if account.period:
        begin, end = _bounds(account.period)
        stored = stored.filter(started_at__gte=begin, started_at__lt=end)
    sums = stored.aggregate(bytes=Sum("size", default=0), objects=Count("pk"))
    return Amount(sums["bytes"], sums["objects"])


def _bounds(period: str) -> Iterator[datetime]:
    """Begin and end of ``2026-11`` or ``2026-11-30``, in UTC."""
    first = date.fromisoformat(period if len(period) == 10 else f"{period}-01")
    after = date.fromordinal(first.toordinal() + (1 if len(period) == 10 else 31))
    if len(period) == 7:
        after = after.replace(day=1)
    return (datetime(day.year, day.month, day.day, tzinfo=UTC) for day in (first, after))


def forget_past_periods(now: datetime) -> None:
    """Remove the sums of days and months before the last two months; their uploads are over."""
    first = (now - timedelta(days=_KEPT_DAYS)).strftime("%Y-%m")
    QuotaUsage.objects.filter(period__gt="", period__lt=first, reserved_objects=0).delete()
