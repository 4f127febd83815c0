"""Records of uploads that never were, as many as a gateway has after a while."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from uploads.models import UploadRecord

_AT_ONCE = 100_000
_DIFFERENT = {"key": "'stored/' || number", "request_id": "printf('%032x', number)"}


def store_records(database: Path, count: int) -> None:
    """Copies of the first record, which must be there, each with a key and a request id of its own."""
    columns = [field.attname for field in UploadRecord._meta.concrete_fields if not field.primary_key]
    values = [_DIFFERENT.get(column, column) for column in columns]
    table = UploadRecord._meta.db_table
    copy = (  # all names are Django's
        "WITH RECURSIVE numbers(number) AS (SELECT ? UNION ALL SELECT number + 1 FROM numbers LIMIT ?) "  # noqa: S608
        f"INSERT INTO {table} ({', '.join(columns)}) "
        f"SELECT {', '.join(values)} FROM numbers, (SELECT * FROM {table} LIMIT 1)"
    )
    with closing(sqlite3.connect(database, timeout=60)) as connection:
        for first in range(0, count, _AT_ONCE):
            with connection:
                connection.execute(copy, (first, min(_AT_ONCE, count - first)))
