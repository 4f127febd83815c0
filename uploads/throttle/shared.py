"""Limits counted in Redis, for all workers of all nodes: one script, so one round trip, for each request."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from itertools import count
from typing import Any, Final

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from tracing_app.api import note, stage
from tracing_app.breaker import Breaker
from uploads.worker import worker_name

from .demand import Demand, Refusal

logger = logging.getLogger("uploads.throttle")

TIMEOUT_SECONDS: Final = 0.25
RESET_SECONDS: Final = 2.0
LEASE_SECONDS: Final = 30
BEAT_SECONDS: Final = 10.0

# Redis's own clock: those of nodes may differ. For each demand: its clock, the set of its uploads under way.
_TAKE = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local moved = {}
for i = 1, #KEYS / 2 do
  local interval, tolerance, concurrent = ARGV[3 * i], ARGV[3 * i + 1], tonumber(ARGV[3 * i + 2])
  if tonumber(interval) > 0 then
    moved[i] = math.max(tonumber(redis.call('GET', KEYS[2 * i - 1]) or 0), now) + interval
    local ahead = moved[i] - now - tolerance
    if ahead > 0 then return {i, 'rate', ahead} end
  end
  if concurrent > 0 then
    redis.call('ZREMRANGEBYSCORE', KEYS[2 * i], '-inf', now)
    if redis.call('ZCARD', KEYS[2 * i]) >= concurrent then return {i, 'concurrency', 0} end
  end
end
for i = 1, #KEYS / 2 do
  if moved[i] then
    redis.call('SET', KEYS[2 * i - 1], string.format('%.0f', moved[i]),
               'PX', string.format('%.0f', math.ceil((moved[i] - now) / 1000) + 1))
  end
  if tonumber(ARGV[3 * i + 2]) > 0 then
    redis.call('ZADD', KEYS[2 * i], now + ARGV[2] * 1000000, ARGV[1])
    redis.call('EXPIRE', KEYS[2 * i], ARGV[2])
  end
end
return {0, '', 0}
"""
# A lease that expired or was given back stays away: XX.
_KEEP = """
local time = redis.call('TIME')
local until_us = time[1] * 1000000 + time[2] + ARGV[2] * 1000000
for i = 1, #KEYS do
  redis.call('ZADD', KEYS[i], 'XX', until_us, ARGV[1])
  redis.call('EXPIRE', KEYS[i], ARGV[2])
end
"""


class SharedCounter:
    """Fails open: while Redis does not answer nothing is limited, and it is left alone for two seconds at a
    time. The log says when that begins and when it is over.

    A place of an upload lasts ``LEASE_SECONDS`` and is kept up by a thread of this process, so those of a
    worker that dies are free again soon.
    """

    def __init__(self, url: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._redis = redis.Redis.from_url(
            url,
            socket_timeout=TIMEOUT_SECONDS,
            socket_connect_timeout=TIMEOUT_SECONDS,
            retry=Retry(NoBackoff(), 1),  # a connection that was closed while nobody used it
            retry_on_error=[redis.ConnectionError],
        )
        self._take = self._redis.register_script(_TAKE)
        self._keep = self._redis.register_script(_KEEP)
        self._breaker = Breaker(failures=1, reset_seconds=RESET_SECONDS, clock=clock)
        self._is_away = False
        self._numbers = count()
        self._leases: dict[str, tuple[str, ...]] = {}
        self._keeper: threading.Thread | None = None
        self._keeper_lock = threading.Lock()

    def take(self, demands: Sequence[Demand]) -> Refusal | SharedLease | None:
        if not self._breaker.allows():
            note({"mizuchi.limit.skipped": True})
            return None
        lease = f"{worker_name()}:{next(self._numbers)}"
        try:
            with stage("limits.take", {"db.system.name": "redis"}, kind="client"):
                position, kind, ahead_us = self._take(*_call_of(demands, lease))
        except redis.RedisError as error:
            self._failed(error)
            note({"mizuchi.limit.skipped": True})
            return None
        self._answered()
        if position:
            reason = demands[position - 1].reason
            return Refusal("rate", reason, ahead_us) if kind == b"rate" else Refusal("concurrency", reason)
        names = tuple(_uploads_key(demand.name) for demand in demands if demand.concurrent)
        return self._leased(lease, names) if names else None

    def check(self) -> str:
        """Ask whether it is there. Raises redis.RedisError."""
        self._redis.ping()
        return "redis"

    def give_back(self, lease: str) -> None:
        """Never raises: what Redis does not hear of expires."""
        names = self._leases.pop(lease, ())
        if not self._breaker.allows():
            return
        try:
            pipeline = self._redis.pipeline(transaction=False)
            for name in names:
                pipeline.zrem(name, lease)
            pipeline.execute()
        except redis.RedisError as error:
            self._failed(error)
        else:
            self._answered()

    def keep_leases(self) -> None:
        """Have those that are held last. Never raises."""
        if not self._leases or not self._breaker.allows():
            return
        try:
            for lease, names in self._leases.copy().items():
                self._keep(keys=names, args=[lease, LEASE_SECONDS])
        except redis.RedisError as error:
            self._failed(error)
        else:
            self._answered()

    def _leased(self, lease: str, names: tuple[str, ...]) -> SharedLease:
        self._leases[lease] = names
        if self._keeper is None:
            with self._keeper_lock:
                if self._keeper is None:
                    self._keeper = threading.Thread(target=self._keep_up, name="upload-leases", daemon=True)
                    self._keeper.start()
        return SharedLease(self, lease)

    def _keep_up(self) -> None:
        while True:
            time.sleep(BEAT_SECONDS)
            self.keep_leases()

    def _failed(self, error: redis.RedisError) -> None:
        self._breaker.record_failure()
        if not self._is_away:
            self._is_away = True
            logger.warning("Redis does not answer, limits of principals are off: %s", type(error).__name__)

    def _answered(self) -> None:
        self._breaker.record_success()
        if self._is_away:
            self._is_away = False
            logger.info("Redis answers again, principals have their limits")


class SharedLease:
    """A place that every node knows of."""

    __slots__ = ("_counter", "_lease")

    def __init__(self, counter: SharedCounter, lease: str) -> None:
        self._counter = counter
        self._lease = lease

    def release(self) -> None:
        self._counter.give_back(self._lease)


def _call_of(demands: Sequence[Demand], lease: str) -> tuple[list[str], list[Any]]:
    keys, arguments = [], [lease, LEASE_SECONDS]
    for demand in demands:
        keys += [f"mizuchi:rate:{demand.name}", _uploads_key(demand.name)]
        arguments += [demand.interval_us, demand.tolerance_us, demand.concurrent]
    return keys, arguments


def _uploads_key(name: str) -> str:
    return f"mizuchi:uploads:{name}"
