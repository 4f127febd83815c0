"""A record is written once, whoever writes it first: its upload's end, or who looks after those that last."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.uploads.ledger.test_record_rows import NEEDED
from uploads.ledger import open_record as module
from uploads.ledger.group_commit import GroupCommit
from uploads.ledger.open_record import OpenRecord, write_ahead
from uploads.models import UploadRecord

pytestmark = pytest.mark.django_db

BEGINNING: dict[str, Any] = {**NEEDED, "worker": "here:1:1"}
ENDING: dict[str, Any] = {"state": "STORED", "size": 7, "checksums": {"crc32": "AAAAAA=="}}


def the_only_record() -> tuple[int, str, int | None]:
    found = UploadRecord.objects.get()
    return found.pk, found.state, found.size


def test_one_that_ends_soon_is_one_statement() -> None:
    record = OpenRecord(BEGINNING)

    with CaptureQueriesContext(connection) as captured:
        record.end(ENDING)

    assert len(captured) == 1
    assert the_only_record()[1:] == ("STORED", 7)


def test_one_that_was_written_ahead_is_ended_where_it_is() -> None:
    record, other = OpenRecord(BEGINNING), OpenRecord(BEGINNING)
    write_ahead([record, other])
    assert UploadRecord.objects.filter(state="RECEIVING").count() == 2
    UploadRecord.objects.filter(pk=other.pk).delete()
    pk = record.pk

    write_ahead([record])
    record.end(ENDING)

    assert the_only_record() == (pk, "STORED", 7)


def test_one_that_has_ended_is_not_written_ahead() -> None:
    record = OpenRecord(BEGINNING)
    record.end(ENDING)

    write_ahead([record])

    assert the_only_record()[1:] == ("STORED", 7)


def test_nobody_waits_for_one_that_is_being_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    began, released = threading.Event(), threading.Event()

    def slow(rows: object) -> None:
        began.set()
        assert released.wait(5)

    monkeypatch.setattr(module, "ROWS", GroupCommit(slow))
    record = OpenRecord(BEGINNING)
    with ThreadPoolExecutor(1) as pool:
        ending = pool.submit(record.end, ENDING)
        assert began.wait(5)
        write_ahead([record])
        released.set()
        ending.result(5)

    assert UploadRecord.objects.count() == 0, "the slow one is no database"


@pytest.mark.parametrize("is_ahead", [False, True], ids=["at its end", "ahead"])
def test_one_that_may_have_been_written_is_written_once(is_ahead: bool) -> None:
    record = OpenRecord(BEGINNING)
    if is_ahead:
        record.write_ahead()
    record.end(ENDING)

    record.end_late(ENDING)

    assert the_only_record()[1:] == ("STORED", 7)


def test_one_that_was_not_written_is_written_late() -> None:
    OpenRecord({**BEGINNING, "key": "another"}).end(ENDING)

    OpenRecord(BEGINNING).end_late(ENDING)

    assert sorted(UploadRecord.objects.values_list("key", "state")) == [
        ("another", "STORED"),
        (BEGINNING["key"], "STORED"),
    ]
