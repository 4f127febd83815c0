"""Counts shared through the database: what workers write, and what a window of time reads."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import DatabaseError, connection
from django.test.utils import CaptureQueriesContext

from uploads.s3.operations import Operation
from uploads.statistics.latency import bucket_of
from uploads.statistics.models import StatisticsSlot
from uploads.statistics.recorder import RequestRecorder
from uploads.statistics.slots import prune_slots, write_slots
from uploads.statistics.totals import Totals
from uploads.statistics.window import LAG_SECONDS, WINDOWS, read_statistics

pytestmark = pytest.mark.django_db

NOW = 1_790_000_100.0  # a multiple of 900, so of every step
PUT = Operation.PUT_OBJECT


class Worker:
    """One process that counts, and its clock."""

    def __init__(self, name: str = "host:1:1") -> None:
        self.name = name
        self.now = NOW
        self.recorder = RequestRecorder(lambda: self.now)

    def answer(self, status: int = 200, *, bucket: str = "photos", seconds: float = 0.02) -> None:
        self.recorder.count(bucket, PUT, status, seconds, 100, (0.005, 0.01))

    def write(self) -> None:
        write_slots(self.recorder, self.name)


@pytest.fixture
def worker() -> Worker:
    return Worker()


def requests(seconds: int) -> list[int]:
    found = StatisticsSlot.objects.filter(seconds=seconds).order_by("began_at", "worker", "bucket")
    return list(found.values_list("requests", flat=True))


def test_a_slot_is_one_row_however_often_it_is_written(worker: Worker) -> None:
    for _ in range(3):
        worker.answer()
        worker.write()

    assert requests(15) == requests(300) == [3]
    slot = StatisticsSlot.objects.get(seconds=15)
    assert (slot.worker, slot.bucket, slot.began_at) == (
        "host:1:1",
        "photos",
        datetime.fromtimestamp(NOW, UTC),
    )
    assert slot.latencies == [bucket_of(0.02), 3]
    assert (slot.transfer_seconds, slot.receive_wait_seconds) == pytest.approx((0.06, 0.015))


def test_nothing_is_asked_of_the_database_when_there_is_nothing_to_write(worker: Worker) -> None:
    worker.answer()
    worker.write()
    with CaptureQueriesContext(connection) as queries:
        worker.write()
    assert len(queries) == 0


def test_all_that_changed_is_one_statement(worker: Worker) -> None:
    for bucket in ("a", "b", "c"):
        worker.answer(bucket=bucket)
    with CaptureQueriesContext(connection) as queries:
        worker.write()
    assert len([query for query in queries if "INSERT" in query["sql"]]) == 1


def test_what_the_database_did_not_take_is_written_later(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*args: object, **kwargs: object) -> None:
        raise DatabaseError("away")

    worker.answer()
    with monkeypatch.context() as patched:
        patched.setattr(StatisticsSlot.objects, "bulk_create", away)
        with pytest.raises(DatabaseError):
            worker.write()
        worker.now += 600
        worker.answer()
        with pytest.raises(DatabaseError):
            worker.write()
    worker.write()

    assert requests(15) == requests(300) == [1, 1]


def test_old_slots_go(worker: Worker) -> None:
    for _ in range(2):
        worker.answer()
        worker.write()
        worker.now += 26 * 3600
    now = datetime.fromtimestamp(NOW, UTC)

    prune_slots(now + timedelta(minutes=75, seconds=15))
    assert (len(requests(15)), len(requests(300))) == (2, 2)
    prune_slots(now + timedelta(minutes=75, seconds=16))
    assert (len(requests(15)), len(requests(300))) == (1, 2)
    prune_slots(now + timedelta(hours=25, minutes=5, seconds=1))
    assert (len(requests(15)), len(requests(300))) == (1, 1)


@pytest.mark.parametrize("name", WINDOWS)
def test_a_window_adds_up_what_workers_wrote(name: str) -> None:
    workers = Worker("host:1:1"), Worker("other:2:2")
    for each in workers:
        each.answer(bucket="photos", seconds=0.01)
        each.answer(503, bucket="films")
        each.now += 15
        each.answer(403, bucket="photos")
        each.write()
    window = WINDOWS[name]

    found = read_statistics(window, NOW + window.step_seconds + LAG_SECONDS)

    assert (found.totals.requests, found.totals.client_errors, found.totals.server_errors) == (6, 2, 2)
    assert {bucket: totals.requests for bucket, totals in found.buckets.items()} == {"photos": 4, "films": 2}
    assert len(found.points) == window.seconds / window.step_seconds
    assert found.points[-1].began_at == NOW
    assert found.points[-1].totals.requests == (4 if window.step_seconds == 15 else 6)
    assert found.totals.latencies == {bucket_of(0.01): 2}


def test_a_step_is_a_point_once_it_is_over_and_written(worker: Worker) -> None:
    worker.answer()
    worker.write()
    window = WINDOWS["15m"]

    running = read_statistics(window, NOW + 15 + LAG_SECONDS - 0.1)
    assert running.points[-1].began_at == NOW - 15
    assert running.totals.requests == 1
    assert sum(point.totals.requests for point in running.points) == 0

    over = read_statistics(window, NOW + 15 + LAG_SECONDS)
    assert (over.points[-1].began_at, over.points[-1].totals.requests) == (NOW, 1)


def test_what_is_before_the_window_is_not_in_it(worker: Worker) -> None:
    worker.answer()
    worker.write()
    at_its_begin = NOW + 900 + LAG_SECONDS

    assert read_statistics(WINDOWS["15m"], at_its_begin).points[0].totals.requests == 1
    assert read_statistics(WINDOWS["15m"], at_its_begin + 15).totals == Totals()


def test_of_how_long_a_window_tells(worker: Worker) -> None:
    found = read_statistics(WINDOWS["1h"], NOW + LAG_SECONDS + 30)
    assert found.seconds == 3600 + LAG_SECONDS + 30
