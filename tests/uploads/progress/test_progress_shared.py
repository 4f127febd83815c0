"""Progress as workers share it through the database: written by a reporter, read as a board."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from authz.identity import Identity
from tests.uploads.progress.test_flows import BLOCK, body_of
from uploads import records
from uploads.backends.base import StoredObject
from uploads.ledger.open_record import OpenRecord
from uploads.ledger.outage import Outage
from uploads.models import UploadProgress, UploadRecord
from uploads.progress import rows
from uploads.progress.board import Board, uploads_in_flight
from uploads.progress.flows import Flows, Parts
from uploads.progress.reporter import ProgressReporter
from uploads.upload_id import digest

pytestmark = pytest.mark.django_db

ALICE = Identity("alice", "sigv4")


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def flows(clock: Clock) -> Flows:
    return Flows(clock=clock)


@pytest.fixture
def reporter(flows: Flows) -> ProgressReporter:
    return ProgressReporter(flows, worker="here:1:1")


@pytest.fixture
def under_way() -> Iterator[ExitStack]:
    """Bodies on their way until the test ends."""
    with ExitStack() as stack:
        yield stack


def begin(key: str = "k", upload_id: str = "") -> UploadRecord:
    method = records.Method.MULTIPART if upload_id else records.Method.SIMPLE
    return records.begin(ALICE, "uploads", key, method, content_type=None, upload_id=upload_id)


def told(record: UploadRecord, **fields: Any) -> UploadProgress:
    """A row as another worker wrote it."""
    now = timezone.now()
    values: dict[str, Any] = {
        "worker": "elsewhere:1:1",
        "stage": "receiving",
        "received_bytes": 10,
        "declared_bytes": 40,
        "bytes_per_second": 5.0,
        "began_at": now - timedelta(seconds=4),
        "updated_at": now,
    }
    return UploadProgress.objects.create(record=record, **values | fields)


def one(board: Board) -> Any:
    (upload,) = board.uploads
    return upload


def test_a_slow_body_is_told_while_it_grows(
    clock: Clock, flows: Flows, reporter: ProgressReporter, under_way: ExitStack
) -> None:
    record, body = begin(), body_of(8 * BLOCK)
    blocks = iter(body)
    under_way.enter_context(flows.object(record, body))

    reporter.report()
    assert UploadProgress.objects.count() == 0, "it is too young to be told of"

    next(blocks)
    came, clock.now = body.size, clock.now + 2.0
    reporter.report()
    upload = one(uploads_in_flight())
    assert (upload.record.pk, upload.received_bytes, upload.declared_bytes) == (record.pk, came, 8 * BLOCK)
    assert (upload.stage, upload.bytes_per_second) == ("receiving", came / 2)

    next(blocks)
    more, clock.now = body.size - came, clock.now + 4.0
    reporter.report()
    upload = one(uploads_in_flight())
    assert (upload.received_bytes, upload.bytes_per_second) == (came + more, more / 4)

    list(blocks)
    clock.now += 2.0
    reporter.report()
    assert one(uploads_in_flight()).stage == "storing"


def open_record(key: str = "k") -> OpenRecord:
    return records.open_record(
        ALICE, "uploads", key, records.Method.SIMPLE, content_type=None, payload_length=BLOCK
    )


def test_the_record_of_a_small_body_that_lasts_is_written_ahead(
    clock: Clock, flows: Flows, reporter: ProgressReporter
) -> None:
    record, body = open_record(), body_of(BLOCK)
    with flows.object(record, body):
        reporter.keep_records()
        assert UploadRecord.objects.count() == 0, "it may be over in a moment"

        clock.now += 1.0
        reporter.keep_records()
        assert UploadRecord.objects.get().state == "RECEIVING"

        clock.now += 1.0
        reporter.report()
        assert one(uploads_in_flight()).record.pk == record.pk
    records.stored(record, StoredObject("etag", BLOCK), body)

    reporter.keep_records()
    assert UploadRecord.objects.get().state == "STORED"


def test_a_body_whose_record_could_not_be_written_ahead_is_not_told_of(
    clock: Clock, flows: Flows, reporter: ProgressReporter, under_way: ExitStack
) -> None:
    under_way.enter_context(flows.object(open_record(), body_of(BLOCK)))
    clock.now += 2.0

    reporter.report()

    assert UploadProgress.objects.count() == 0


def test_looking_after_records_costs_no_query_when_none_lasts(
    flows: Flows, reporter: ProgressReporter, under_way: ExitStack
) -> None:
    under_way.enter_context(flows.object(open_record(), body_of(BLOCK)))

    with CaptureQueriesContext(connection) as captured:
        reporter.keep_records()

    assert len(captured) == 0


def test_records_that_the_database_did_not_take_are_written_when_it_is_back(
    reporter: ProgressReporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    outage = Outage()
    monkeypatch.setattr("uploads.progress.reporter.OUTAGE", outage)
    is_away = [True]

    def write() -> None:
        if is_away[0]:
            raise DatabaseError("away")
        begin("late")

    outage.failed(write, DatabaseError("away"))
    reporter.keep_records()
    is_away[0] = False
    reporter.keep_records()
    reporter.keep_records()

    assert [record.key for record in UploadRecord.objects.all()] == ["late"]


def test_its_row_is_gone_with_it(clock: Clock, flows: Flows, reporter: ProgressReporter) -> None:
    with flows.object(begin(), body_of(1)):
        clock.now += 2
        reporter.report()
        assert UploadProgress.objects.count() == 1

    reporter.report()

    assert UploadProgress.objects.count() == 0


def test_nothing_under_way_costs_no_query(reporter: ProgressReporter) -> None:
    with CaptureQueriesContext(connection) as captured:
        reporter.report()

    assert len(captured) == 0


def test_any_number_of_bodies_is_told_in_few_statements(
    clock: Clock, flows: Flows, reporter: ProgressReporter, under_way: ExitStack
) -> None:
    for _ in range(40):
        under_way.enter_context(flows.object(begin(), body_of(1)))
    clock.now += 2

    with CaptureQueriesContext(connection) as captured:
        reporter.report()

    assert len([q for q in captured if "SAVEPOINT" not in q["sql"]]) <= 3
    assert UploadProgress.objects.count() == 40


def test_parts_are_told_with_their_upload(
    clock: Clock, flows: Flows, reporter: ProgressReporter, under_way: ExitStack
) -> None:
    record = begin(upload_id="sealed")
    for number, size in ((1, 100), (2, 50)):
        with flows.part(digest("sealed"), number, body := body_of(size)):
            list(body)
    under_way.enter_context(flows.part(digest("sealed"), 3, body := body_of(10)))
    list(body)
    clock.now += 2

    reporter.report()
    reporter.report()

    found = UploadRecord.objects.get()
    assert (found.parts, found.received_bytes) == (2, 150)
    assert found.last_part_at is not None
    upload = one(uploads_in_flight())
    assert (upload.record.pk, upload.received_bytes, upload.declared_bytes) == (record.pk, 160, None)
    assert [body.part_number for body in upload.bodies] == [3]


def test_parts_that_come_late_change_no_upload_that_is_over(flows: Flows, reporter: ProgressReporter) -> None:
    record = begin(upload_id="sealed")
    records.stored(record, StoredObject("etag", 5), parts=1)
    flows.add_parts({digest("sealed"): Parts(1, 5, 1_000.0)})

    reporter.report()

    assert UploadRecord.objects.get().parts == 1


def test_a_part_of_no_known_upload_is_passed_over(
    clock: Clock, flows: Flows, reporter: ProgressReporter, under_way: ExitStack
) -> None:
    under_way.enter_context(flows.part("0" * 32, 1, body_of(1)))
    clock.now += 2

    reporter.report()

    assert UploadProgress.objects.count() == 0


def test_a_database_that_is_away_costs_one_line_and_no_parts(
    flows: Flows,
    reporter: ProgressReporter,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    begin(upload_id="sealed")
    flows.add_parts({digest("sealed"): Parts(2, 20, 1_000.0)})

    def away(*_: object) -> None:
        raise DatabaseError("away")

    with monkeypatch.context() as broken, caplog.at_level(logging.INFO, "uploads.progress"):
        broken.setattr(rows, "add_parts", away)
        reporter.report()
        reporter.report()
    assert len(caplog.records) == 1

    with caplog.at_level(logging.INFO, "uploads.progress"):
        reporter.report()
    assert UploadRecord.objects.get().parts == 2
    assert len(caplog.records) == 2, "that it works again is told too"


def test_a_worker_that_ends_takes_its_rows_along(
    clock: Clock, flows: Flows, reporter: ProgressReporter, under_way: ExitStack
) -> None:
    told(begin("other"))
    under_way.enter_context(flows.object(begin("mine"), body_of(1)))
    clock.now += 2
    reporter.report()

    reporter.close()

    assert [row.record.key for row in UploadProgress.objects.all()] == ["other"]


def test_what_a_dead_worker_told_is_neither_shown_nor_kept() -> None:
    told(begin("stale"), updated_at=timezone.now() - timedelta(minutes=5))
    told(begin("dead"), worker=f"{rows.this_host()}:1:not-the-start-of-init")
    told(begin("fresh"))

    assert [upload.record.key for upload in uploads_in_flight().uploads] == ["dead", "fresh"]
    rows.prune()

    assert [row.record.key for row in UploadProgress.objects.all()] == ["fresh"]


def test_the_board_shows_slow_bodies_then_multipart_uploads_by_their_last_part() -> None:
    told(begin("young"), began_at=timezone.now() - timedelta(seconds=3))
    told(begin("old"), began_at=timezone.now() - timedelta(hours=1))
    for key, minutes in (("idle", 60), ("busy", 1)):
        multipart = begin(key, upload_id=key)
        multipart.last_part_at = timezone.now() - timedelta(minutes=minutes)
        multipart.save()
    begin("new", upload_id="new")
    begin("just begun")
    records.stored(begin("over"), StoredObject("etag", 1))
    told(over := begin("over, and told of a second ago"))
    records.failed(over, "BadDigest")

    board = uploads_in_flight()

    assert [upload.record.key for upload in board.uploads] == ["old", "young", "new", "busy", "idle"]
    assert [upload.stage for upload in board.uploads][2:] == ["waiting"] * 3
    assert board.just_begun == 1
    assert not board.is_cut_off


def test_the_board_is_bounded() -> None:
    for number in range(5):
        told(begin(f"slow {number}"))
        begin(f"multi {number}", upload_id=str(number))

    board = uploads_in_flight(limit=7)

    assert [upload.record.key[:4] for upload in board.uploads] == ["slow"] * 5 + ["mult"] * 2
    assert board.is_cut_off
    assert len(uploads_in_flight(limit=3).uploads) == 3


def test_parts_of_an_upload_are_one_upload() -> None:
    record = begin(upload_id="sealed")
    record.parts, record.received_bytes = 4, 400
    record.save()
    told(record, part_number=5, stage="storing", bytes_per_second=0.0)
    told(record, part_number=6)

    upload = one(uploads_in_flight())

    assert (upload.stage, upload.received_bytes, upload.bytes_per_second) == ("receiving", 420, 5.0)
    assert upload.began_at == record.started_at
    assert [body.part_number for body in upload.bodies] == [5, 6]


def test_times_are_utc() -> None:
    told(begin(), began_at=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))

    assert one(uploads_in_flight()).bodies[0].began_at == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
