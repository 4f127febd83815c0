from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from authz.policy.base import EngineAnswer
from authz.policy.cache import AnswerCache
from tests.authz.policy.clocks import Clock

YES, NO = EngineAnswer(True, ""), EngineAnswer(False, "")


def test_an_answer_is_good_until_its_time_is_over(clock: Clock) -> None:
    cache = AnswerCache(60, clock)
    cache.put(b"q", YES)

    clock.now += 59.9
    assert cache.get(b"q") is YES
    clock.now += 0.1
    assert cache.get(b"q") is None
    assert len(cache) == 0


def test_being_asked_for_does_not_make_it_last_longer(clock: Clock) -> None:
    cache = AnswerCache(60, clock)
    cache.put(b"q", YES)
    for _ in range(6):
        clock.now += 10
        cache.get(b"q")

    assert cache.get(b"q") is None


def test_without_a_time_nothing_is_remembered(clock: Clock) -> None:
    cache = AnswerCache(0, clock)
    cache.put(b"q", YES)

    assert cache.get(b"q") is None


def test_a_new_answer_takes_the_place_of_the_old(clock: Clock) -> None:
    cache = AnswerCache(60, clock)
    cache.put(b"q", YES)
    cache.put(b"q", NO)

    assert cache.get(b"q") is NO
    assert len(cache) == 1


def test_its_space_is_bounded_and_the_one_used_longest_ago_goes(clock: Clock) -> None:
    cache = AnswerCache(60, clock, max_bytes=10_000)
    cache.put(b"kept", YES)
    for number in range(1000):
        cache.put(b"%04d" % number * 25, YES)
        cache.get(b"kept")

    assert len(cache) == 16  # of 612 bytes, and the one of 516
    assert cache.get(b"kept") is YES
    assert cache.get(b"0000" * 25) is None
    assert cache.get(b"0999" * 25) is YES


@pytest.mark.parametrize("size", [9489, 100_000])
def test_a_question_too_long_pushes_no_other_out(size: int, clock: Clock) -> None:
    cache = AnswerCache(60, clock, max_bytes=10_000)
    cache.put(b"q", YES)
    cache.put(b"x" * size, YES)

    assert cache.get(b"q") is YES
    assert len(cache) == 1


def test_many_threads(clock: Clock) -> None:
    cache = AnswerCache(60, clock, max_bytes=20_000)

    def use(number: int) -> bool:
        key = b"%d" % (number % 60)
        cache.put(key, EngineAnswer(True, key.decode()))
        found = cache.get(key)
        return found is None or found.reason == key.decode()

    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(use, range(20_000)))
    assert len(cache) <= 20_000 // 512
