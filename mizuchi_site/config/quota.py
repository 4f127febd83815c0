"""How much may be uploaded to a bucket, by all together and by each principal."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from .values import Nullable, Section, Whole

Amount = Annotated[Whole, Field(ge=0, le=2**62)]


class QuotaSection(Section):
    """At most so much; null is any amount."""

    max_bytes: Nullable[Amount] = None
    max_objects: Nullable[Amount] = None


class BucketQuotaSection(QuotaSection):
    """Of a bucket as a whole, of each principal in it, and of those named in ``principals`` instead."""

    per: Literal["total", "month", "day"] = "total"
    principal: QuotaSection = QuotaSection()
    principals: dict[str, QuotaSection] = {}
