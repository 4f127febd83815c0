"""Rows of many threads in few transactions, each exactly once."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import DatabaseError, DataError, OperationalError, connection

from tests.uploads.ledger.test_record_rows import WHOLE
from uploads.ledger.group_commit import GroupCommit
from uploads.ledger.rows import MAX_ROWS, Row, insert
from uploads.models import UploadRecord

SOON = 5.0
FIRST = {"key": "first"}


class Table:
    """Takes rows; the first transaction takes until it is ``released``."""

    def __init__(self, *, refused: str = "", is_away: bool = False) -> None:
        self.transactions: list[list[str]] = []
        self.began, self.released = threading.Event(), threading.Event()
        self._refused, self._is_away = refused, is_away

    def insert(self, rows: Sequence[Row]) -> None:
        keys = [row["key"] for row in rows]
        self.transactions.append(keys)
        if keys == [FIRST["key"]]:
            self.began.set()
            assert self.released.wait(SOON)
        if self._is_away and FIRST["key"] not in keys:
            raise OperationalError("away")
        if self._refused in keys:
            raise DataError("unwanted")


def written_behind_the_first(table: Table, keys: Sequence[str]) -> dict[str, Exception | None]:
    """What became of rows that came while the database was busy with the first one."""
    group = GroupCommit(table.insert)
    at_it = threading.Barrier(len(keys) + 1)

    def write(key: str) -> Exception | None:
        at_it.wait(SOON)
        try:
            group.write({"key": key})
        except DatabaseError as error:
            return error
        return None

    with ThreadPoolExecutor(len(keys) + 1) as pool:
        first = pool.submit(group.write, FIRST)
        assert table.began.wait(SOON)
        writes = {key: pool.submit(write, key) for key in keys}
        at_it.wait(SOON)
        threading.Event().wait(0.2)
        table.released.set()
        first.result(SOON)
        return {key: future.result(SOON) for key, future in writes.items()}


def test_one_alone_is_written_at_once() -> None:
    table = Table()
    group = GroupCommit(table.insert)

    group.write({"key": "a"})
    group.write({"key": "b"})

    assert table.transactions == [["a"], ["b"]]


def test_rows_that_come_while_the_database_is_busy_share_a_transaction() -> None:
    table = Table()

    assert set(written_behind_the_first(table, "abcde").values()) == {None}

    first, together = table.transactions
    assert (first, sorted(together)) == (["first"], list("abcde"))


def test_a_transaction_is_bounded() -> None:
    table = Table()
    keys = [str(number) for number in range(2 * MAX_ROWS + 5)]

    written_behind_the_first(table, keys)

    sizes = [len(together) for together in table.transactions[1:]]
    assert max(sizes) <= MAX_ROWS
    assert len(sizes) < 10
    assert sorted(key for together in table.transactions[1:] for key in together) == sorted(keys)


def test_a_row_that_is_refused_fails_alone() -> None:
    outcome = written_behind_the_first(Table(refused="c"), "abcde")

    assert [key for key, error in outcome.items() if error is not None] == ["c"]


def test_a_database_that_is_away_fails_all_that_wait_and_is_asked_once() -> None:
    table = Table(is_away=True)

    outcome = written_behind_the_first(table, "abcde")

    assert {type(error) for error in outcome.values()} == {OperationalError}
    assert len(table.transactions) == 2


@pytest.mark.django_db(transaction=True)
def test_many_threads_have_each_record_once() -> None:
    group, threads, each = GroupCommit(insert), 12, 25

    def write(thread: int) -> None:
        for number in range(each):
            group.write({**WHOLE, "key": f"{thread}/{number}"})
        connection.close()

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(write, range(threads)))

    keys = list(UploadRecord.objects.values_list("key", flat=True))
    assert len(keys) == len(set(keys)) == threads * each
