"""What a worker does with records that the database does not take."""

from __future__ import annotations

import logging

import pytest
from django.db import DataError, OperationalError

from uploads.ledger import outage as module
from uploads.ledger.outage import Outage

AWAY = OperationalError("away")


class Database:
    def __init__(self) -> None:
        self.is_away = True
        self.rows: list[str] = []

    def write(self, row: str) -> None:
        if self.is_away:
            raise AWAY
        if row == "unwanted":
            raise DataError("unwanted")
        self.rows.append(row)


def test_what_failed_is_written_in_order_when_the_database_is_back(caplog: pytest.LogCaptureFixture) -> None:
    database, outage = Database(), Outage()
    assert outage.failed(lambda: database.write("a"), AWAY)
    assert outage.failed(lambda: database.write("b"), AWAY)
    with pytest.raises(OperationalError):
        outage.write_late()
    assert (outage.is_suspected, outage.late) == (True, 2)

    database.is_away = False
    with caplog.at_level(logging.INFO, "uploads.records"):
        outage.write_late()
        outage.write_late()

    assert database.rows == ["a", "b"]
    assert (outage.is_suspected, outage.late) == (False, 0)
    assert [record.getMessage() for record in caplog.records] == [
        "2 records were written late: the database answers again"
    ]


def test_a_row_that_is_refused_keeps_no_other_waiting(caplog: pytest.LogCaptureFixture) -> None:
    database, outage = Database(), Outage()
    for row in ("unwanted", "b"):
        outage.failed(lambda row=row: database.write(row), AWAY)  # type: ignore[misc]
    database.is_away = False

    outage.write_late()

    assert database.rows == ["b"]
    assert "is lost" in caplog.text


def test_a_row_that_is_refused_is_not_kept_but_makes_suspicious() -> None:
    outage = Outage()

    assert not outage.failed(lambda: None, DataError("unwanted"))
    assert (outage.is_suspected, outage.late) == (True, 0)

    outage.over()
    assert not outage.is_suspected


def test_no_more_are_kept_than_memory_allows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_LATE", 2)
    outage = Outage()

    assert [outage.failed(lambda: None, AWAY) for _ in range(3)] == [True, True, False]


def test_a_worker_that_ends_says_what_is_lost_with_it(caplog: pytest.LogCaptureFixture) -> None:
    outage = Outage()
    outage.tell_lost()
    assert caplog.text == ""
    outage.failed(lambda: None, AWAY)

    outage.tell_lost()

    assert "1 records of uploads are lost with this worker" in caplog.text
