"""How much a principal may do at a time: requests a second, uploads whose body is on its way."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from .values import Nullable, Number, Section, Whole

Rate = Annotated[Number, Field(ge=0.01, le=1_000_000)]
Count = Annotated[Whole, Field(ge=1, le=1_000_000)]


class RateSection(Section):
    """Limits of one principal; null is none."""

    requests_per_second: Nullable[Rate] = None
    burst: Nullable[Count] = None
    concurrent_uploads: Nullable[Count] = None

    @model_validator(mode="after")
    def _burst_of_a_rate(self) -> Self:
        if self.burst is not None and self.requests_per_second is None:
            raise ValueError("has a burst, but no requests_per_second; give both, or leave burst out")
        return self


class ThrottleSection(RateSection):
    """Limits of each principal over all buckets, and of those named in ``principals`` instead."""

    principals: dict[str, RateSection] = {}
