"""One thread of a worker tells the database what there is to tell, and nothing else depends on it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator

import pytest
from django.db import DatabaseError

from mizuchi_site.models import WorkerReport
from mizuchi_site.workers.heartbeat import BEAT_SECONDS, Heartbeat, seconds_to_next
from mizuchi_site.workers.roll import roll_call
from tests.tracing_app.exporting.export_setup import until
from uploads.s3.operations import Operation
from uploads.statistics.models import StatisticsSlot
from uploads.statistics.recorder import RequestRecorder


@pytest.fixture
def recorder() -> RequestRecorder:
    return RequestRecorder()


@pytest.fixture
def heartbeat(recorder: RequestRecorder) -> Iterator[Heartbeat]:
    heartbeat = Heartbeat(recorder)
    yield heartbeat
    heartbeat.stop()


def count(recorder: RequestRecorder) -> None:
    recorder.count("photos", Operation.PUT_OBJECT, 200, 0.02, 10, None)


def away(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **kwargs: object) -> None:
        raise DatabaseError("away")

    for model in (StatisticsSlot, WorkerReport):
        monkeypatch.setattr(model.objects, "bulk_create", refuse)


@pytest.mark.django_db
def test_a_beat_tells_counts_and_report(heartbeat: Heartbeat, recorder: RequestRecorder) -> None:
    count(recorder)
    heartbeat.beat()

    assert StatisticsSlot.objects.count() == 2
    assert len(roll_call()) == 1


@pytest.mark.django_db
def test_an_outage_is_told_once_and_its_end_too(
    heartbeat: Heartbeat,
    recorder: RequestRecorder,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with monkeypatch.context() as patched, caplog.at_level(logging.INFO, "mizuchi_site"):
        away(patched)
        for _ in range(3):
            count(recorder)
            heartbeat.beat()
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "away" in caplog.text

    with caplog.at_level(logging.INFO, "mizuchi_site"):
        heartbeat.beat()
        heartbeat.beat()
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]
    assert StatisticsSlot.objects.get(seconds=15).requests == 3


@pytest.mark.django_db(transaction=True)
def test_its_thread_beats_and_says_goodbye(heartbeat: Heartbeat, recorder: RequestRecorder) -> None:
    heartbeat.start()
    until(lambda: heartbeat.beats > 0)
    count(recorder)
    heartbeat.stop()

    assert roll_call() == []
    assert StatisticsSlot.objects.get(seconds=15).requests == 1


@pytest.mark.django_db(transaction=True)
def test_what_was_noted_is_added_up_before_the_next_beat(
    heartbeat: Heartbeat, recorder: RequestRecorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mizuchi_site.workers.heartbeat.seconds_to_next", lambda now: 60.0)
    heartbeat.start()
    until(lambda: heartbeat.beats > 0)
    count(recorder)

    until(lambda: recorder.slots_held > 0)
    assert heartbeat.beats == 1


@pytest.mark.django_db(transaction=True)
def test_what_nobody_foresaw_does_not_end_it(
    heartbeat: Heartbeat, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    failures = iter([RuntimeError("a fault")])

    def fail_once(recorder: RequestRecorder, worker: str) -> None:
        if (failure := next(failures, None)) is not None:
            raise failure

    monkeypatch.setattr("mizuchi_site.workers.heartbeat.write_slots", fail_once)
    monkeypatch.setattr("mizuchi_site.workers.heartbeat.seconds_to_next", lambda now: 0.05)
    heartbeat.start()

    until(lambda: heartbeat.beats > 0)
    heartbeat.stop()
    assert "a fault" in caplog.text


@pytest.mark.django_db(transaction=True)
def test_it_keeps_nobody_from_ending(heartbeat: Heartbeat, monkeypatch: pytest.MonkeyPatch) -> None:
    """A database that does not answer holds the thread, and not the process."""
    hangs, released = threading.Event(), threading.Event()

    def hang(*args: object) -> None:
        hangs.set()
        released.wait()

    monkeypatch.setattr("mizuchi_site.workers.heartbeat.write_slots", hang)
    monkeypatch.setattr("mizuchi_site.workers.heartbeat.STOP_SECONDS", 0.1)
    heartbeat.start()
    assert hangs.wait(10)
    stopping = threading.Thread(target=heartbeat.stop)
    stopping.start()
    stopping.join(10)
    assert not stopping.is_alive()
    released.set()
    heartbeat.join(10)


@pytest.mark.parametrize("now", [1_790_000_000.0, 1_790_000_002.5, 1_790_000_004.999, 1_790_000_000.4])
def test_beats_come_just_after_a_slot_is_over(now: float) -> None:
    at = now + seconds_to_next(now)
    assert 0.2 <= at % BEAT_SECONDS <= 1.0
    assert 0 < at - now <= BEAT_SECONDS + 1
