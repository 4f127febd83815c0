"""Upload records in the admin."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from uploads import admin
from uploads.models import UploadRecord

pytestmark = pytest.mark.django_db

LIST = reverse("admin:uploads_uploadrecord_changelist")
MAX_STEPS = 6
FAILED = {"state": "FAILED", "error_code": "BadDigest"}


def make(number: int = 0, **fields: Any) -> UploadRecord:
    began = timezone.now()
    values = {
        "request_id": f"{number:032x}",
        "bucket": "uploads",
        "key": f"key-{number}",
        "principal": "alice",
        "auth_method": "sigv4",
        "method": "simple",
        "state": "STORED",
        "etag": f"{number:016x}" * 2,
        "size": 2048,
        "worker": "host:1:1",
        "started_at": began,
        "finished_at": began + timedelta(milliseconds=1500),
    }
    return UploadRecord.objects.create(**values | fields)


def listed(client: Client, **query: str) -> list[str]:
    """The keys of a page, in its order."""
    page = client.get(LIST, query)
    assert page.status_code == 200, page.headers
    return re.findall(r'field-short_key"><a[^>]*>([^<]*)</a>', page.content.decode())


def page_of(record: UploadRecord) -> str:
    return reverse("admin:uploads_uploadrecord_change", args=[record.pk])


def test_the_newest_come_first(admin_client: Client) -> None:
    for number in range(3):
        make(number)

    assert listed(admin_client) == ["key-2", "key-1", "key-0"]


@pytest.mark.parametrize(
    ("term", "keys"),
    [
        ("ey-1", ["key-1"]),
        ("KEY-1", ["key-1"]),
        (f"{2:032x}", ["key-2"]),
        (f"{0xABCDEF:032x}".upper(), ["key-3"]),
        (f"{1:016x}" * 2, ["key-1"]),
        ("ab" * 16, ["key-0"]),
        ("bob", ["key-2"]),
        ("bo", []),
        (" ", ["key-3", "key-2", "key-1", "key-0"]),
    ],
    ids=["key", "case", "request-id", "upper-case-id", "etag", "upload-digest", "principal", "part", "blank"],
)
def test_search(admin_client: Client, term: str, keys: list[str]) -> None:
    make(0, upload_digest="ab" * 16)
    make(1)
    make(2, principal="bob")
    make(3, request_id=f"{0xABCDEF:032x}")

    assert listed(admin_client, q=term) == keys


@pytest.mark.parametrize(
    ("query", "keys"),
    [
        ({"state__exact": "FAILED"}, ["key-1"]),
        ({"error_code": "BadDigest"}, ["key-1"]),
        ({"bucket": "uploads"}, ["key-1", "key-0"]),
        ({"bucket": "removed"}, ["key-2"]),
        ({"method__exact": "multipart"}, ["key-0"]),
        ({"state__exact": "FAILED", "bucket": "removed"}, []),
    ],
    ids=["state", "error-code", "bucket", "bucket-of-the-past", "method", "two"],
)
def test_filters(admin_client: Client, query: dict[str, str], keys: list[str]) -> None:
    make(0, method="multipart")
    make(1, **FAILED)
    make(2, bucket="removed")

    assert listed(admin_client, **query) == keys


def test_filters_offer_the_buckets_there_are_and_the_codes_there_were(admin_client: Client) -> None:
    make(0, **FAILED)

    page = admin_client.get(LIST).content.decode()

    assert "?bucket=uploads" in page
    assert "?error_code=BadDigest" in page


def test_a_long_key_shows_its_end_and_its_page_all_of_it(admin_client: Client) -> None:
    record = make(key="a" * 100 + "/the-end.bin")

    (shown,) = listed(admin_client)

    assert shown.startswith("…")
    assert shown.endswith("/the-end.bin")
    assert len(shown) == 50
    assert record.key in admin_client.get(page_of(record)).content.decode()


def test_a_key_is_text_and_never_markup(admin_client: Client) -> None:
    record = make(key="<script>alert(1)</script>")

    for page in (LIST, page_of(record)):
        content = admin_client.get(page).content.decode()
        assert "<script>alert" not in content
        assert "&lt;script&gt;alert" in content


def test_a_page_tells_everything_but_the_sealed_id(admin_client: Client) -> None:
    record = make(upload_id="sealed-id", checksums={"crc32": "AAAAAA=="}, method="multipart")

    page = admin_client.get(page_of(record)).content.decode()

    assert "sealed-id" not in page
    for shown in (record.request_id, record.etag, "AAAAAA==", "alice", "host:1:1", "1.500"):
        assert shown in page


def test_one_in_progress_has_no_end_yet(admin_client: Client) -> None:
    record = make(state="RECEIVING", size=None, finished_at=None)

    assert listed(admin_client) == ["key-0"]
    assert admin_client.get(page_of(record)).status_code == 200


@pytest.mark.parametrize("page", ["add", "change", "delete"])
def test_nothing_can_be_written(admin_client: Client, page: str) -> None:
    record = make()
    args = [] if page == "add" else [record.pk]

    answer = admin_client.post(reverse(f"admin:uploads_uploadrecord_{page}", args=args), {"key": "other"})

    assert answer.status_code == 403
    assert UploadRecord.objects.get().key == "key-0"


def test_no_more_than_the_newest_are_counted(admin_client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admin, "LISTED", 60)
    for number in range(70):
        make(number)

    second = listed(admin_client, p="2")

    assert second == [f"key-{number}" for number in range(19, 9, -1)]


def plans(client: Client, **query: str) -> list[list[str]]:
    """SQLite's plan of every query about records that a page makes."""
    with CaptureQueriesContext(connection) as captured:
        listed(client, **query)
    reads = [q["sql"] for q in captured if '"uploads_uploadrecord"' in q["sql"]]
    assert reads
    with connection.cursor() as cursor:
        return [[row[3] for row in cursor.execute(f"EXPLAIN QUERY PLAN {sql}").fetchall()] for sql in reads]


@pytest.mark.parametrize(
    "query",
    [{}, {"p": "2"}, {"state__exact": "STORED"}, {"_facets": "True"}],
    ids=["all", "second-page", "commonest-state", "no-facets"],
)
def test_these_pages_sort_nothing(admin_client: Client, query: dict[str, str]) -> None:
    """So they cost the same however many records there are: each query ends at its limit."""
    for number in range(60):
        make(number)

    steps = [step for plan in plans(admin_client, **query) for step in plan]

    assert not [step for step in steps if "TEMP B-TREE" in step]
    assert len(steps) <= MAX_STEPS


def test_a_request_id_is_found_by_its_index(admin_client: Client) -> None:
    make(7)

    steps = [step for plan in plans(admin_client, q=f"{7:032x}") for step in plan]

    assert not [step for step in steps if step.startswith("SCAN uploads_uploadrecord")]
