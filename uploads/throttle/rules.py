"""What a principal may at a time, as the operator wrote it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Rate:
    """Requests a second, of which ``burst`` may come at once (None: those of one second), and uploads whose
    body is on its way at the same time. None is any number."""

    requests_per_second: float | None = None
    burst: int | None = None
    concurrent_uploads: int | None = None

    @property
    def is_unlimited(self) -> bool:
        return self.requests_per_second is None and self.concurrent_uploads is None

    @property
    def burst_requests(self) -> int:
        """How many may come at once."""
        return self.burst or max(1, math.ceil(self.requests_per_second or 0))


@dataclass(frozen=True, slots=True)
class ThrottleConfig:
    """``principal`` is for each over all buckets, unless ``principals`` names another; ``buckets``, besides,
    is for each principal in that bucket. ``redis_url`` None: each process counts by itself."""

    principal: Rate = field(default_factory=Rate)
    principals: Mapping[str, Rate] = field(default_factory=dict)
    buckets: Mapping[str, Rate] = field(default_factory=dict)
    redis_url: str | None = field(default=None, repr=False)

    @property
    def is_unlimited(self) -> bool:
        rates = (self.principal, *self.principals.values(), *self.buckets.values())
        return all(rate.is_unlimited for rate in rates)
