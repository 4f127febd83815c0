"""Rows as the lean INSERT writes them are those that the model writes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import dj_database_url
import pytest
from django.db import IntegrityError, connections

from tests.servers.postgres import Postgres
from uploads.ledger.rows import MAX_ROWS, insert
from uploads.models import UploadRecord

POSTGRES = "records"
BEGUN = datetime(2026, 11, 30, 17, 0, 0, 123456, tzinfo=UTC)
NEEDED: dict[str, Any] = {"request_id": "0" * 32, "bucket": "uploads", "key": "ä%s'/k", "started_at": BEGUN}
WHOLE: dict[str, Any] = {
    **NEEDED,
    "principal": "alice",
    "auth_method": "sigv4",
    "method": "simple",
    "state": "STORED",
    "size": 1 << 40,
    "received_bytes": 1 << 41,
    "parts": 3,
    "last_part_at": BEGUN,
    "receive_wait_ms": 0.25,
    "backend_wait_ms": 1e9,
    "etag": "etag",
    "checksums": {"crc32": "AAAAAA==", "ü": '"'},
    "checksum_type": "FULL_OBJECT",
    "content_type": "text/plain",
    "version_id": "v1",
    "error_code": "BadDigest",
    "upload_id": "sealed",
    "upload_digest": "d" * 32,
    "worker": "host:1:2",
    "finished_at": BEGUN,
}


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest, django_db_blocker: Any) -> Iterator[str]:
    """The alias of a database with the table of records."""
    if request.param == "sqlite":
        request.getfixturevalue("db")
        yield "default"
        return
    server: Postgres = request.getfixturevalue("postgres")
    parsed = dj_database_url.parse(server.create_database())
    settings = connections.configure_settings({"default": {}, POSTGRES: dict(parsed)})
    connections.settings[POSTGRES] = settings[POSTGRES]
    with django_db_blocker.unblock():
        try:
            with connections[POSTGRES].schema_editor() as editor:
                editor.create_model(UploadRecord)
            yield POSTGRES
        finally:
            connections[POSTGRES].close()
            del connections[POSTGRES], connections.settings[POSTGRES]


def raw_rows(database: str) -> list[tuple[Any, ...]]:
    """All but the first column, which is the primary key, as the database holds them."""
    with connections[database].cursor() as cursor:
        cursor.execute(f"SELECT * FROM {UploadRecord._meta.db_table} ORDER BY id")
        return [row[1:] for row in cursor.fetchall()]


@pytest.mark.parametrize("values", [WHOLE, NEEDED], ids=["every field", "defaults"])
def test_a_row_is_the_one_that_the_model_writes(database: str, values: dict[str, Any]) -> None:
    every = {field.attname for field in UploadRecord._meta.concrete_fields} - {"id"}
    assert set(WHOLE) == every, "a new field needs a value here"
    UploadRecord.objects.using(database).create(**values)

    insert([values], using=database)

    created, inserted = raw_rows(database)
    assert inserted == created


def test_many_rows_are_one_statement_and_keep_their_order(database: str) -> None:
    keys = [f"key {number}" for number in range(MAX_ROWS)]

    insert([{**WHOLE, "key": key} for key in keys], using=database)
    insert([NEEDED], using=database)

    found = UploadRecord.objects.using(database).order_by("id").values_list("key", flat=True)
    assert list(found) == [*keys, NEEDED["key"]]


def test_of_rows_together_all_or_none_are_written(database: str) -> None:
    with pytest.raises(IntegrityError):
        insert([WHOLE, {**WHOLE, "bucket": None}], using=database)

    assert raw_rows(database) == []


@pytest.mark.django_db(transaction=True)
def test_rows_together_are_a_transaction_of_their_own() -> None:
    """Nothing is left open, neither by rows that are written nor by rows that are not."""
    with pytest.raises(IntegrityError):
        insert([WHOLE, {**WHOLE, "bucket": None}])
    assert raw_rows("default") == []

    insert([WHOLE, NEEDED])
    connections["default"].close()  # what was not committed ends here
    assert len(raw_rows("default")) == 2
