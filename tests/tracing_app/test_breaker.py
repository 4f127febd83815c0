from __future__ import annotations

from tracing_app.breaker import Breaker


class Clock:
    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


def opened(clock: Clock) -> Breaker:
    breaker = Breaker(failures=3, reset_seconds=30, clock=clock)
    for _ in range(3):
        assert breaker.allows()
        breaker.record_failure()
    return breaker


def test_it_opens_after_failures_on_end_only() -> None:
    breaker = Breaker(failures=3, reset_seconds=30, clock=Clock())
    for _ in range(5):
        breaker.record_failure()
        breaker.record_failure()
        breaker.record_success()
    assert breaker.state == "closed"
    assert opened(Clock()).state == "open"


def test_open_it_lets_nothing_through_until_the_reset_time_and_then_one() -> None:
    clock = Clock()
    breaker = opened(clock)
    clock.seconds += 29.9
    assert not breaker.allows()
    clock.seconds += 0.1
    assert breaker.allows()
    assert breaker.state == "half-open"
    assert not breaker.allows()


def test_the_one_try_decides() -> None:
    clock = Clock()
    breaker = opened(clock)
    clock.seconds += 30
    assert breaker.allows()
    breaker.record_failure()
    assert (breaker.state, breaker.allows()) == ("open", False)
    clock.seconds += 30
    assert breaker.allows()
    breaker.record_success()
    assert (breaker.state, breaker.allows()) == ("closed", True)


def test_it_tells_for_how_long_it_has_been_so() -> None:
    clock = Clock()
    breaker = opened(clock)
    clock.seconds += 12
    assert breaker.seconds_in_state == 12


def test_closed_again_it_counts_from_nought() -> None:
    clock = Clock()
    breaker = opened(clock)
    clock.seconds += 30
    breaker.allows()
    breaker.record_success()
    breaker.record_failure()
    breaker.record_failure()
    assert breaker.state == "closed"


def test_it_tells_whether_it_blocks_and_changes_nothing() -> None:
    clock = Clock()
    breaker = opened(clock)
    assert breaker.is_blocking
    clock.seconds += 30
    assert not breaker.is_blocking
    assert breaker.state == "open"
    assert breaker.allows()
    assert breaker.is_blocking, "the one try is under way"
    breaker.record_success()
    assert not breaker.is_blocking
