"""Requests are counted in slots of time, for each bucket, until they are written."""

from __future__ import annotations

import threading
from dataclasses import dataclass

import pytest

from uploads.s3.operations import Operation
from uploads.statistics.latency import bucket_of
from uploads.statistics.recorder import COARSE_SECONDS, FINE_SECONDS, RequestRecorder, SlotRow
from uploads.statistics.totals import Totals

NOW = 1_790_000_100.0  # a multiple of COARSE_SECONDS
PUT = Operation.PUT_OBJECT


@dataclass
class Clock:
    now: float = NOW

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def recorder(clock: Clock) -> RequestRecorder:
    return RequestRecorder(clock)


def answer(
    recorder: RequestRecorder,
    status: int = 200,
    *,
    bucket: str = "photos",
    operation: Operation | None = PUT,
    seconds: float = 0.02,
    size: int = 10,
) -> None:
    recorder.count(bucket, operation, status, seconds, size, None)


def rows(recorder: RequestRecorder) -> dict[tuple[int, int, str], Totals]:
    return {(row.seconds, row.began_at, row.bucket): row.totals for row in recorder.unwritten()}


def only(recorder: RequestRecorder, seconds: int = FINE_SECONDS) -> Totals:
    (totals,) = (totals for (length, _, _), totals in rows(recorder).items() if length == seconds)
    return totals


@pytest.mark.parametrize(
    ("operation", "status", "uploads", "timed"),
    [
        (Operation.PUT_OBJECT, 200, 1, 1),
        (Operation.POST_OBJECT, 303, 1, 1),
        (Operation.COMPLETE_MULTIPART_UPLOAD, 200, 1, 1),
        (Operation.UPLOAD_PART, 200, 0, 1),
        (Operation.CREATE_MULTIPART_UPLOAD, 200, 0, 0),
        (Operation.HEAD_OBJECT, 200, 0, 0),
        (Operation.PUT_OBJECT, 403, 0, 0),
        (Operation.PUT_OBJECT, 503, 0, 0),
        (None, 400, 0, 0),
    ],
)
def test_an_upload_is_an_object_stored(
    recorder: RequestRecorder, operation: Operation | None, status: int, uploads: int, timed: int
) -> None:
    answer(recorder, status, operation=operation)

    totals = only(recorder)
    assert (totals.requests, totals.uploads, sum(totals.latencies.values())) == (1, uploads, timed)


def test_requests_add_up(recorder: RequestRecorder) -> None:
    for status in (200, 200, 403, 404, 500):
        answer(recorder, status)
    recorder.count("photos", Operation.UPLOAD_PART, 200, 2.0, 1000, (0.5, 1.0))
    recorder.count("photos", PUT, 400, 3.0, 5, (2.5, 0.25))

    totals = only(recorder)
    assert totals == Totals(
        requests=7,
        uploads=2,
        client_errors=3,
        server_errors=1,
        bytes_received=1055,
        transfers=2,
        transfer_seconds=5.0,
        receive_wait_seconds=3.0,
        backend_wait_seconds=1.25,
        latencies={bucket_of(0.02): 2, bucket_of(2.0): 1},
    )
    assert totals.successes == 3


def test_slots_are_of_a_bucket_and_a_time(recorder: RequestRecorder, clock: Clock) -> None:
    answer(recorder)
    clock.now += 14.9
    answer(recorder)
    answer(recorder, bucket="-")
    clock.now += 0.1
    answer(recorder)

    began = int(NOW)
    assert {key: totals.requests for key, totals in rows(recorder).items()} == {
        (15, began, "photos"): 2,
        (15, began, "-"): 1,
        (15, began + 15, "photos"): 1,
        (300, began, "photos"): 3,
        (300, began, "-"): 1,
    }


def write(recorder: RequestRecorder) -> list[SlotRow]:
    written = recorder.unwritten()
    recorder.written(written)
    return written


def test_what_is_written_is_not_written_again_until_it_changes(recorder: RequestRecorder) -> None:
    answer(recorder)
    assert len(write(recorder)) == 2
    assert write(recorder) == []

    answer(recorder)
    assert [row.totals.requests for row in write(recorder)] == [2, 2]


def test_what_came_while_it_was_written_is_written_next(recorder: RequestRecorder) -> None:
    answer(recorder)
    underway = recorder.unwritten()
    answer(recorder)
    recorder.written(underway)

    assert [row.totals.requests for row in underway] == [1, 1]
    assert only(recorder).requests == 2


def test_a_coarse_slot_is_whole_though_its_fine_ones_were_written(
    recorder: RequestRecorder, clock: Clock
) -> None:
    for _ in range(COARSE_SECONDS // FINE_SECONDS):
        answer(recorder)
        last = write(recorder)
        clock.now += FINE_SECONDS

    assert {row.seconds: row.totals.requests for row in last} == {15: 1, 300: 20}


def test_what_was_written_and_is_over_is_forgotten(recorder: RequestRecorder, clock: Clock) -> None:
    for _ in range(100):
        answer(recorder)
        write(recorder)
        clock.now += FINE_SECONDS
    assert recorder.slots_held <= COARSE_SECONDS // FINE_SECONDS


def test_what_cannot_be_written_waits_within_bounds(clock: Clock) -> None:
    recorder = RequestRecorder(clock, max_slots=100)
    for _ in range(200):
        answer(recorder)
        recorder.unwritten()
        clock.now += FINE_SECONDS

    assert 80 < recorder.slots_held <= 100
    coarse = [totals for (seconds, _, _), totals in rows(recorder).items() if seconds == COARSE_SECONDS]
    assert {totals.requests for totals in coarse} == {20}, "the oldest go, each slot whole"


def test_slots_of_now_are_not_lost_however_many_buckets_there_are(clock: Clock) -> None:
    recorder = RequestRecorder(clock, max_slots=10)
    for number in range(20):
        answer(recorder, bucket=f"bucket-{number}")

    assert len(rows(recorder)) == 40
    assert recorder.slots_held == 20


def test_what_nobody_adds_up_is_bounded(clock: Clock) -> None:
    recorder = RequestRecorder(clock, max_noted=100)
    for _ in range(250):
        answer(recorder)

    assert only(recorder).requests == 100


def test_what_was_noted_while_the_database_hung_counts_for_its_time(
    recorder: RequestRecorder, clock: Clock
) -> None:
    answer(recorder)
    hanging = recorder.unwritten()
    for _ in range(4):
        clock.now += FINE_SECONDS
        answer(recorder)
    recorder.written(hanging)

    began = int(NOW)
    fine = {began_at: sums.requests for (length, began_at, _), sums in rows(recorder).items() if length == 15}
    assert fine == {began + number * FINE_SECONDS: 1 for number in range(1, 5)}


def test_a_clock_that_steps_back_takes_nothing_from_a_slot(recorder: RequestRecorder, clock: Clock) -> None:
    answer(recorder)
    clock.now += FINE_SECONDS
    answer(recorder)
    clock.now -= 2 * FINE_SECONDS
    answer(recorder)

    assert [totals.requests for (seconds, _, _), totals in rows(recorder).items() if seconds == 15] == [1, 2]


def test_a_clock_that_was_far_ahead_is_believed_when_it_is_right_again(
    recorder: RequestRecorder, clock: Clock
) -> None:
    clock.now += 86_400
    answer(recorder)
    clock.now = NOW
    answer(recorder)

    assert (15, int(NOW), "photos") in rows(recorder)


def test_requests_in_flight(recorder: RequestRecorder) -> None:
    for request, bucket in enumerate(("photos", "photos", "-")):
        recorder.enter(request, bucket)
    assert recorder.in_flight() == {"photos": 2, "-": 1}
    recorder.leave(0)
    recorder.leave(2)
    recorder.leave("one that never entered")
    assert recorder.in_flight() == {"photos": 1}


def test_threads_lose_nothing(recorder: RequestRecorder) -> None:
    def work() -> None:
        for _ in range(2000):
            request = object()
            recorder.enter(request, "photos")
            answer(recorder)
            recorder.leave(request)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert only(recorder).requests == 16_000
    assert recorder.in_flight() == {}
