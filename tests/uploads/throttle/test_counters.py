"""Requests and uploads as they are counted: in a process, and in Redis for all of them."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence

import pytest

from tests.servers.redis_server import Redis, redis_in
from uploads.throttle import shared
from uploads.throttle.demand import Counter, Demand, Lease, Refusal
from uploads.throttle.local import LocalCounter
from uploads.throttle.shared import SharedCounter

SECOND = 1_000_000
HOUR = 3600 * SECOND


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redis]:
    server = redis_in(tmp_path_factory.mktemp("redis"))
    with server.running():
        yield server


@pytest.fixture(params=["process", "redis"])
def counter(request: pytest.FixtureRequest) -> Counter:
    if request.param == "process":
        return LocalCounter()
    server: Redis = request.getfixturevalue("redis")
    server.client().flushall()
    return SharedCounter(server.url)


def requests(name: str = "alice", *, burst: int, interval_us: int = HOUR) -> Demand:
    return Demand(name, "principal", interval_us, interval_us * burst)


def uploads(name: str = "alice", *, at_a_time: int) -> Demand:
    return Demand(name, "bucket", concurrent=at_a_time)


def leased(counter: Counter, demand: Demand) -> Lease:
    taken = counter.take([demand])
    assert taken is not None
    assert not isinstance(taken, Refusal)
    return taken


def test_a_burst_passes_and_then_one_has_to_wait(counter: Counter) -> None:
    demand = requests(burst=3)
    assert [counter.take([demand]) for _ in range(3)] == [None, None, None]

    refused = counter.take([demand])

    assert isinstance(refused, Refusal)
    assert (refused.kind, refused.reason) == ("rate", "principal")
    assert refused.retry_after_us == pytest.approx(HOUR, rel=0.01)
    assert counter.take([requests("bob", burst=3)]) is None


def test_room_comes_back_with_time(counter: Counter) -> None:
    demand = requests(burst=1, interval_us=SECOND // 20)
    assert counter.take([demand]) is None
    refused = counter.take([demand])
    assert isinstance(refused, Refusal)
    time.sleep(0.06)
    assert counter.take([demand]) is None


def test_so_many_uploads_at_a_time(counter: Counter) -> None:
    demand = uploads(at_a_time=2)
    first, _ = leased(counter, demand), leased(counter, demand)
    assert counter.take([demand]) == Refusal("concurrency", "bucket")
    first.release()
    leased(counter, demand)
    assert isinstance(counter.take([demand]), Refusal)


@pytest.mark.parametrize("order", [1, -1], ids=["first", "last"])
def test_who_is_refused_by_one_limit_takes_of_none(counter: Counter, order: int) -> None:
    full, free = uploads("full", at_a_time=1), requests(burst=1)
    leased(counter, full)
    both = [full, free][::order]
    assert isinstance(counter.take(both), Refusal)
    assert counter.take([free]) is None


def test_many_threads_get_exactly_what_there_is(counter: Counter) -> None:
    taken: list[object] = []

    def take() -> None:
        for _ in range(10):
            taken.append(counter.take([requests(burst=25), uploads(at_a_time=30)]))

    threads = [threading.Thread(target=take) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == 80
    assert sum(not isinstance(each, Refusal) for each in taken) == 25


def test_processes_share_what_redis_counts(redis: Redis) -> None:
    redis.client().flushall()
    first, second = SharedCounter(redis.url), SharedCounter(redis.url)
    lease = leased(first, uploads(at_a_time=1))
    assert isinstance(second.take([uploads(at_a_time=1)]), Refusal)
    lease.release()
    assert second.take([requests(burst=1)]) is None
    assert isinstance(first.take([requests(burst=1)]), Refusal)


def test_a_place_is_kept_up_and_one_of_a_dead_worker_is_free_again(
    redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    redis.client().flushall()
    monkeypatch.setattr(shared, "LEASE_SECONDS", 1)
    alive, dead, other = (SharedCounter(redis.url) for _ in range(3))
    leased(alive, uploads(at_a_time=2))
    leased(dead, uploads(at_a_time=2))
    for _ in range(3):
        time.sleep(0.4)
        alive.keep_leases()
    kept, free = other.take([uploads(at_a_time=1)]), other.take([uploads(at_a_time=2)])
    assert isinstance(kept, Refusal)
    assert not isinstance(free, Refusal)


def test_what_was_given_back_is_not_kept_up(redis: Redis) -> None:
    redis.client().flushall()
    counter = SharedCounter(redis.url)
    lease = leased(counter, uploads(at_a_time=1))
    names: Sequence[bytes] = redis.client().keys("mizuchi:uploads:*")
    lease.release()
    counter.keep_leases()
    assert [redis.client().zcard(name) for name in names] == [0]


def test_without_redis_nothing_is_limited_and_the_log_says_it_once(
    tmp_path_factory: pytest.TempPathFactory, caplog: pytest.LogCaptureFixture
) -> None:
    server = redis_in(tmp_path_factory.mktemp("away"))
    now = 0.0
    counter = SharedCounter(server.url, lambda: now)
    with server.running():
        assert counter.take([requests(burst=1)]) is None
        lease = leased(counter, uploads(at_a_time=1))
    with caplog.at_level("INFO", "uploads.throttle"):
        assert [counter.take([requests(burst=1)]) for _ in range(3)] == [None] * 3
        lease.release()
        now += shared.RESET_SECONDS
        assert counter.take([requests(burst=1)]) is None
    with pytest.raises(Exception, match="refused"):
        counter.check()
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    with server.running(), caplog.at_level("INFO", "uploads.throttle"):
        now += shared.RESET_SECONDS
        assert counter.take([requests(burst=1)]) is None
        assert isinstance(counter.take([requests(burst=1)]), Refusal)
        assert counter.check() == "redis"
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]
