"""What is noted of a body while it comes: moments in order, waits, and a client that pauses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from body_cases import PROOFS, Source, send

from uploads.body.timed import MAX_STALLS, TimedBody, Timeline
from uploads.s3.errors import BadDigest, IncompleteBody, RequestTimeout

SECOND = 1_000_000_000


@dataclass
class Client:
    """A source whose reads take as long as ``steps`` say, on a clock of its own; a step may be an error."""

    steps: Sequence[tuple[float, bytes | Exception]]
    now_ns: int = 0
    _turn: int = field(default=0, init=False)

    def clock(self) -> int:
        return self.now_ns

    copied_by = ""

    def read_into(self, buffer: memoryview, /) -> int:
        seconds, outcome = self.steps[self._turn]
        self._turn += 1
        self.now_ns += int(seconds * SECOND)
        if isinstance(outcome, Exception):
            raise outcome
        buffer[: len(outcome)] = outcome
        return len(outcome)


def timeline_of(*steps: tuple[float, bytes | Exception]) -> tuple[Timeline, int]:
    """What is noted of these reads, and when they began."""
    client = Client(steps)
    timeline = Timeline(client.clock)
    began = timeline.now_ns()
    for _, outcome in steps:
        if isinstance(outcome, Exception):
            with pytest.raises(type(outcome)):
                timeline.read(client, memoryview(bytearray(10)))
        else:
            assert timeline.read(client, memoryview(bytearray(10))) == len(outcome)
    return timeline, began


def test_the_first_byte_and_the_last_are_those_of_the_reads() -> None:
    timeline, began = timeline_of((0.25, b"a"), (0.5, b"b"))
    assert timeline.received_ns == 0

    timeline.received()

    assert timeline.first_byte_ns - began == SECOND // 4
    assert timeline.received_ns - began == SECOND * 3 // 4
    assert timeline.receive_wait_ns == SECOND * 3 // 4
    assert (timeline.stalls, timeline.stall_count) == ([], 0)


def test_the_end_of_a_chunked_body_is_its_last_byte() -> None:
    timeline, began = timeline_of((0, b"a"), (0.5, b""))
    timeline.received()
    assert timeline.received_ns - began == SECOND // 2


def test_a_body_without_bytes_has_no_moments() -> None:
    timeline, _ = timeline_of((0, b""))
    assert timeline.first_byte_ns == 0


@pytest.mark.parametrize(
    ("seconds", "count"), [(0.99, 0), (1.0, 1), (30.0, 1)], ids=["a moment", "a second", "long"]
)
def test_a_pause_of_a_second_is_a_stall(seconds: float, count: int) -> None:
    timeline, began = timeline_of((0, b"a"), (seconds, b"b"))

    assert timeline.stall_count == len(timeline.stalls) == count
    for stall in timeline.stalls:
        assert (stall.ended_ns - began, stall.wait_ns) == (seconds * SECOND, seconds * SECOND)


@pytest.mark.parametrize("error", [RequestTimeout(), IncompleteBody()], ids=["timeout", "gone"])
def test_a_stall_that_ends_the_body_is_one_too(error: Exception) -> None:
    timeline, _ = timeline_of((0, b"a"), (30, error))
    assert [stall.wait_ns for stall in timeline.stalls] == [30 * SECOND]
    assert timeline.received_ns == 0


def test_stalls_are_kept_to_a_number_and_counted_beyond() -> None:
    timeline, _ = timeline_of(*[(1.5, b"x")] * (MAX_STALLS + 3))
    assert len(timeline.stalls) == MAX_STALLS
    assert timeline.stall_count == MAX_STALLS + 3


@pytest.mark.parametrize("proof", PROOFS)
def test_a_verified_body_notes_its_moments_in_order(proof: str) -> None:
    body = send(b"x" * 250, proof, algorithm=None if proof == "signed" else "crc32").read_by(block_bytes=100)
    began = body.timeline.now_ns()
    for _ in body:
        pass
    noted = body.timeline
    assert began <= noted.first_byte_ns <= noted.received_ns <= noted.verified_ns <= noted.now_ns()


def test_a_false_claim_was_received_and_never_verified() -> None:
    sent = send(b"x" * 250, "plain", algorithm="crc32")
    body = sent.read_by(Source(sent.body[:-1] + b"y"))
    with pytest.raises(BadDigest):
        list(body)
    assert body.timeline.received_ns > 0
    assert body.timeline.verified_ns == 0


def test_the_time_a_backend_waits_for_blocks_is_the_bodys() -> None:
    client = Client([(2, b"a"), (3, b"b"), (0, b"")])

    class Blocks:
        length, size = 2, 2

        def __iter__(self):  # type: ignore[no-untyped-def]
            block = memoryview(bytearray(1))
            while client.read_into(block):
                yield block

    timed = TimedBody(Blocks(), client.clock)  # type: ignore[arg-type]
    for _ in timed:
        client.now_ns += 7 * SECOND

    assert timed.pulled_ns == 5 * SECOND
