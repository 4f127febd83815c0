"""Receiving into buffers: small for a client that lets us wait, large for one that does not."""

from __future__ import annotations

import pytest

from uploads.body.buffers import Buffers
from uploads.body.intake import PATIENCE_NS, Intake
from uploads.body.timed import Timeline
from uploads.s3.errors import RequestTimeout

SMALL, LARGE = 100, 1600


class Client:
    """Sends ``size`` bytes, at most ``at_once`` in ``seconds_each``, on a clock of its own."""

    copied_by = ""

    def __init__(self, size: int, *, at_once: int = 1 << 30, ns_each: int = 0) -> None:
        self.left, self.at_once, self.ns_each = size, at_once, ns_each
        self.now_ns = 0

    def read_into(self, buffer: memoryview, /) -> int:
        self.now_ns += self.ns_each
        count = min(len(buffer), self.at_once, self.left)
        self.left -= count
        return count


def intake_of(client: Client, wire_length: int | None = None) -> Intake:
    return Intake(client, Timeline(lambda: client.now_ns), Buffers(SMALL, LARGE), wire_length)


def sizes(intake: Intake) -> list[int]:
    return [len(filled) for filled in iter(intake.fill, b"")]


def test_a_fast_client_has_larger_and_larger_buffers() -> None:
    assert sizes(intake_of(Client(5500))) == [100, 400, 1600, 1600, 1600, 200]


def test_a_slow_client_has_small_ones_and_what_came_is_handed_on() -> None:
    client = Client(30, at_once=10, ns_each=PATIENCE_NS + 1)
    assert sizes(intake_of(client)) == [10, 10, 10]


def test_a_client_that_becomes_slow_has_a_small_one_again() -> None:
    client = Client(10_000)
    intake = intake_of(client)
    for _ in range(3):
        intake.fill()
    client.at_once, client.ns_each = 10, PATIENCE_NS * 2
    assert len(intake.fill()) == 10
    client.at_once, client.ns_each = 1 << 30, 0
    assert len(intake.fill()) == SMALL


@pytest.mark.parametrize("wire_length", [1000, None])
def test_nothing_is_read_past_the_end(wire_length: int | None) -> None:
    client = Client(1000 if wire_length is None else 5000)
    intake = intake_of(client, wire_length)
    assert sum(sizes(intake)) == 1000
    assert len(intake.fill()) == 0
    assert client.left == (0 if wire_length is None else 4000)


def test_an_end_before_the_length_leaves_a_rest() -> None:
    intake = intake_of(Client(90), 1000)
    assert sizes(intake) == [90]
    assert intake.remaining == 910


def test_a_failure_comes_after_what_came_before_it() -> None:
    client = Client(30, at_once=30)
    intake = intake_of(client, 100)
    client_read = client.read_into

    def read_into(buffer: memoryview, /) -> int:
        if not client.left:
            raise RequestTimeout
        return client_read(buffer)

    client.read_into = read_into  # type: ignore[method-assign]
    assert len(intake.fill()) == 30
    with pytest.raises(RequestTimeout):
        intake.fill()


def test_turns_have_buffers_of_their_own() -> None:
    intake = intake_of(Client(1 << 20))
    first = intake.fill()
    intake.swap()
    second = intake.fill()
    intake.swap()
    assert first.obj is not second.obj
