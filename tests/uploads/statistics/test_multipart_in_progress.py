"""How many multipart uploads are not over, as the database knew lately."""

from __future__ import annotations

import pytest
from django.db import DatabaseError

from tests.uploads.upload_rows import make_record
from tracing_app.metrics.readings import Readings
from uploads.models import UploadRecord
from uploads.statistics.multipart import IN_PROGRESS, KNOWN_SECONDS, MultipartInProgress

pytestmark = pytest.mark.django_db

State, Method = UploadRecord.State, UploadRecord.Method


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def in_progress(clock: Clock) -> MultipartInProgress:
    return MultipartInProgress(["uploads", "quiet"], clock)


def test_those_that_are_neither_completed_nor_aborted(in_progress: MultipartInProgress) -> None:
    assert not list(in_progress.collect()), "nobody has looked"
    for number, (state, method) in enumerate(
        [
            (State.RECEIVING, Method.MULTIPART),
            (State.RECEIVING, Method.MULTIPART),
            (State.RECEIVING, Method.SIMPLE),
            (State.STORED, Method.MULTIPART),
            (State.ABORTED, Method.MULTIPART),
        ]
    ):
        make_record(number, state=state, method=method)
    in_progress.look()
    assert Readings(in_progress.collect()).of(IN_PROGRESS) == {("uploads",): 2.0, ("quiet",): 0.0}


def test_what_is_known_is_forgotten_when_the_database_is_away(
    in_progress: MultipartInProgress, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(**_: object) -> None:
        raise DatabaseError("away")

    in_progress.look()
    monkeypatch.setattr(UploadRecord.objects, "filter", fail)
    with pytest.raises(DatabaseError):
        in_progress.look()
    assert list(in_progress.collect())
    clock.now += KNOWN_SECONDS
    assert not list(in_progress.collect())
