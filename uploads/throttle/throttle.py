"""What a request of a principal to a bucket takes of the limits, and the answer when there is no room."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from functools import lru_cache
from typing import Final, Literal

from uploads.s3.errors import Limit, Throttled

from .demand import Counter, Demand, Lease, Refusal
from .rules import Rate, ThrottleConfig

_MESSAGES: Final = {
    "rate": "Please reduce your request rate.",
    "concurrency": "Please reduce the number of your uploads at the same time: wait until one is over.",
}
_UNKNOWN_SECONDS: Final = 2


class Throttle:
    """``counter`` is where is counted; names there are hashes, for a principal may be a person."""

    def __init__(self, config: ThrottleConfig, counter: Counter) -> None:
        self.counter = counter
        self._principal = config.principal
        self._principals: Mapping[str, Rate] = config.principals
        self._buckets: Mapping[str, Rate] = config.buckets
        self._demands = lru_cache(maxsize=4096)(self._find_demands)

    def admit(self, bucket: str, principal: str, *, is_upload: bool) -> Lease | None:
        """Take a request's share of the limits, or raise Throttled. The lease is to be released when the
        upload is over."""
        demands = self._demands(bucket, principal, is_upload)
        if not demands:
            return None
        taken = self.counter.take(demands)
        if isinstance(taken, Refusal):
            raise _throttled(taken)
        return taken

    def check(self) -> str:
        """Whether limits are counted now, for readiness. Raises what the client of Redis does."""
        return self.counter.check()

    def _find_demands(self, bucket: str, principal: str, is_upload: bool) -> tuple[Demand, ...]:
        own = self._principals.get(principal, self._principal)
        in_bucket = self._buckets.get(bucket, Rate())
        both = (
            _demand(own, f"\0{principal}", "principal", is_upload),
            _demand(in_bucket, f"{bucket}\0{principal}", "bucket", is_upload),
        )
        return tuple(demand for demand in both if demand.interval_us or demand.concurrent)


def _demand(rate: Rate, counted: str, reason: Literal["principal", "bucket"], is_upload: bool) -> Demand:
    name = hashlib.sha256(counted.encode("utf-8", "surrogatepass")).hexdigest()[:32]
    interval = 0 if rate.requests_per_second is None else round(1e6 / rate.requests_per_second)
    concurrent = (rate.concurrent_uploads or 0) if is_upload else 0
    return Demand(name, reason, interval, interval * rate.burst_requests, concurrent)


def _throttled(refusal: Refusal) -> Throttled:
    wait_us = refusal.retry_after_us
    seconds = _UNKNOWN_SECONDS if wait_us is None else max(1, math.ceil(wait_us / 1e6))
    limit = Limit(refusal.kind, refusal.reason)
    return Throttled(_MESSAGES[refusal.kind], limit=limit, retry_after_seconds=seconds)


def build_throttle(config: ThrottleConfig) -> Throttle | None:
    """None where nothing is limited."""
    if config.is_unlimited:
        return None
    if config.redis_url is None:
        from .local import LocalCounter

        return Throttle(config, LocalCounter())
    from .shared import SharedCounter  # the client of Redis is imported where it is used

    return Throttle(config, SharedCounter(config.redis_url))
