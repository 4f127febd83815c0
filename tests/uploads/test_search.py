"""Finding uploads by what is known of them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection

from tests.uploads.upload_rows import make_record
from uploads.search import UploadQuery, find_uploads
from uploads.upload_id import digest

pytestmark = pytest.mark.django_db

SEALED = "Nh4_-" * 40


def keys(**query: Any) -> list[str]:
    return [record.key for record in find_uploads(UploadQuery(**query))]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("ey-1", ["key-1"]),
        ("KEY-1", ["key-1"]),
        (f"{2:032x}", ["key-2"]),
        (f" {0xABCDEF:032x}".upper(), ["key-3"]),
        (f"{1:016x}" * 2, ["key-1"]),
        ('"' + f"{1:016x}" * 2 + '"', ["key-1"]),
        (digest(SEALED), ["key-0"]),
        (SEALED, ["key-0"]),
        (SEALED + "==", ["key-0"]),
        ("B" * 120, ["B" * 120]),
        ("bob", ["key-2"]),
        ("bo", []),
        (" ", ["B" * 120, "key-3", "key-2", "key-1", "key-0"]),
    ],
    ids=[
        "key",
        "case",
        "request-id",
        "upper-case-id",
        "etag",
        "quoted-etag",
        "upload-digest",
        "upload-id",
        "padded-upload-id",
        "key-like-an-upload-id",
        "principal",
        "part-of-a-principal",
        "blank",
    ],
)
def test_by_whatever_one_has(text: str, found: list[str]) -> None:
    make_record(0, upload_digest=digest(SEALED))
    make_record(1)
    make_record(2, principal="bob")
    make_record(3, request_id=f"{0xABCDEF:032x}")
    make_record(4, key="B" * 120)

    assert keys(text=text) == found


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, ["other", "key-2", "key-1", "key-0"]),
        ({"request_id": f"{1:032X}"}, ["key-1"]),
        ({"upload": SEALED}, ["key-0"]),
        ({"upload": digest(SEALED).upper()}, ["key-0"]),
        ({"principal": "bob"}, ["key-2"]),
        ({"bucket": "uploads"}, ["other", "key-1", "key-0"]),
        ({"key_prefix": "ot"}, ["other"]),
        ({"state": "FAILED"}, ["key-1"]),
        ({"method": "multipart"}, ["key-0"]),
        ({"error": "BadDigest"}, ["key-1"]),
        ({"since": datetime(2026, 1, 2, tzinfo=UTC), "until": datetime(2026, 1, 3, tzinfo=UTC)}, ["key-1"]),
        ({"state": "FAILED", "bucket": "removed"}, []),
        ({"text": "key", "state": "STORED"}, ["key-2", "key-0"]),
        ({"text": f"{1:032x}", "state": "STORED"}, []),
    ],
)
def test_by_conditions(query: dict[str, Any], found: list[str]) -> None:
    make_record(0, method="multipart", upload_digest=digest(SEALED))
    make_record(1, state="FAILED", error_code="BadDigest", started_at=datetime(2026, 1, 2, tzinfo=UTC))
    make_record(2, bucket="removed", principal="bob", started_at=datetime(2026, 1, 3, tzinfo=UTC))
    make_record(3, key="other")

    assert keys(**query) == found


def steps(**query: Any) -> list[str]:
    """SQLite's plan of a page."""
    sql, values = find_uploads(UploadQuery(**query))[:50].query.sql_with_params()
    with connection.cursor() as cursor:
        return [row[3] for row in cursor.execute(f"EXPLAIN QUERY PLAN {sql}", values).fetchall()]


@pytest.mark.parametrize("query", [{}, {"state": "STORED"}, {"text": "ey"}])
def test_a_page_sorts_nothing(query: dict[str, str]) -> None:
    """So it costs the same however many records there are, when those that match are many."""
    make_record()

    assert not [step for step in steps(**query) if "TEMP B-TREE" in step]


@pytest.mark.parametrize("query", [{"text": f"{7:032x}"}, {"request_id": f"{7:032x}"}, {"upload": SEALED}])
def test_an_id_is_found_by_its_index(query: dict[str, str]) -> None:
    make_record(7, upload_digest=digest(SEALED))

    assert not [step for step in steps(**query) if step.startswith("SCAN")]
