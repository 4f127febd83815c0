"""What may be uploaded to a bucket, as its operator wrote it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

Period = Literal["total", "month", "day"]

_FORMATS: Mapping[Period, str] = {"total": "", "month": "%Y-%m", "day": "%Y-%m-%d"}


@dataclass(frozen=True, slots=True)
class Quota:
    """At most so much; None is any amount."""

    max_bytes: int | None = None
    max_objects: int | None = None


@dataclass(frozen=True, slots=True)
class BucketQuota:
    """For ``bucket`` as a whole, and for each ``principal`` in it unless ``principals`` names another."""

    per: Period = "total"
    bucket: Quota = field(default_factory=Quota)
    principal: Quota = field(default_factory=Quota)
    principals: Mapping[str, Quota] = field(default_factory=dict)

    def of(self, principal: str) -> Quota:
        """What a principal may; ``""`` is the bucket."""
        return self.principals.get(principal, self.principal) if principal else self.bucket

    def period(self, moment: datetime) -> str:
        """The name of the period that a moment (UTC) is in: ``2026-11``, ``2026-11-30``; "" for all time."""
        return moment.strftime(_FORMATS[self.per])
