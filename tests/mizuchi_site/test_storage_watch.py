"""A storage that hangs costs a page two seconds and the process one thread."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from mizuchi_site.storage_watch import StorageWatch
from tests.authz.policy.clocks import Clock
from tracing_app.health.base import Check


def failing() -> str:
    raise OSError("it is full")


def watch(
    *checks: Check, wait_seconds: float = 30.0, clock: Callable[[], float] = time.monotonic
) -> StorageWatch:
    return StorageWatch(lambda: checks, wait_seconds=wait_seconds, fresh_seconds=5.0, clock=clock)


def test_each_outcome_by_its_name() -> None:
    outcomes = watch(Check("one", lambda: "fine"), Check("two", failing)).outcomes()

    assert {name: (each.status, each.detail) for name, each in outcomes.items()} == {
        "one": ("ok", "fine"),
        "two": ("failed", "it is full"),
    }


def test_they_are_asked_at_the_same_time() -> None:
    together = threading.Barrier(2)

    def meeting() -> str:
        together.wait(20)
        return "met"

    outcomes = watch(Check("one", meeting), Check("two", meeting)).outcomes()

    assert {each.detail for each in outcomes.values()} == {"met"}


def test_one_that_hangs_is_not_waited_for_and_not_asked_twice() -> None:
    asked, release = [], threading.Event()

    def hanging() -> str:
        asked.append(1)
        release.wait(60)
        return "late"

    watched = watch(Check("slow", hanging), Check("quick", lambda: "fine"), wait_seconds=0.05)
    first, second = watched.outcomes(), watched.outcomes()
    release.set()

    for outcomes in (first, second):
        assert (outcomes["slow"].status, outcomes["slow"].detail) == (
            "failed",
            "no answer within 0.05 seconds",
        )
        assert outcomes["quick"].status == "ok"
    assert asked == [1]


def test_an_outcome_is_good_for_a_while() -> None:
    asked: list[int] = []
    clock = Clock(0.0)
    watched = watch(Check("one", lambda: str(asked.append(1))), clock=clock)
    watched.outcomes()
    clock.now = 4.9
    watched.outcomes()
    assert len(asked) == 1
    clock.now = 5.0
    watched.outcomes()
    assert len(asked) == 2
