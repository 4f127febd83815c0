"""The list of uploads in the desk."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.db import connections
from django.test import Client
from django.urls import reverse

from mizuchi_site.desk import upload_list
from tests.tracing_app.store.recorded import Recorded
from tests.uploads.upload_rows import make_record
from tracing_app.exporting.transport import Accepted
from tracing_app.store.models import StoredTrace
from uploads.models import UploadRecord
from uploads.upload_id import digest

pytestmark = pytest.mark.django_db(databases=["default", "traces"])

LIST = reverse("admin:uploads_uploadrecord_changelist")
FAILED = {"state": "FAILED", "error_code": "BadDigest"}
REFUSED_ID = "f" * 32


def page(client: Client, status: int = 200, **query: str) -> str:
    answer = client.get(LIST, query)
    assert answer.status_code == status
    return answer.content.decode()


def keys_in(page: str) -> list[str]:
    """The keys of a page, in its order."""
    return re.findall(r'<td class="upload-key"><a [^>]*><span[^>]*>[^<]*</span>([^<]*)</a>', page)


def listed(client: Client, **query: str) -> list[str]:
    return keys_in(page(client, **query))


def trace_of(request_id: str, operation: str = "PutObject", *, upload: str = "", **outcome: Any) -> None:
    """A trace that is kept: of a refused request, but for ``outcome``."""
    recorded = Recorded()
    refused = {"status": 403, "error": "SignatureDoesNotMatch"}
    recorded.request(operation, trace_id=request_id, upload=upload, **refused | outcome)
    assert isinstance(recorded.save(), Accepted)


def test_the_newest_come_first(admin_client: Client) -> None:
    for number in range(3):
        make_record(number)

    assert listed(admin_client) == ["key-2", "key-1", "key-0"]


@pytest.mark.parametrize(
    ("query", "keys"),
    [
        ({"q": "EY-1"}, ["key-1"]),
        ({"q": f"{2:032x}"}, ["key-2"]),
        ({"q": "Sealed" * 20}, ["key-0"]),
        ({"upload": digest("Sealed" * 20)}, ["key-0"]),
        ({"state": "FAILED"}, ["key-1"]),
        ({"error": "BadDigest"}, ["key-1"]),
        ({"bucket": "removed"}, ["key-2"]),
        ({"principal": "bob"}, ["key-2"]),
        ({"method": "multipart"}, ["key-0"]),
        ({"since": "2026-01-02T00:00", "until": "2026-01-02T00:00:01"}, ["key-1"]),
        ({"state": "FAILED", "bucket": "removed"}, []),
    ],
)
def test_filters(admin_client: Client, query: dict[str, str], keys: list[str]) -> None:
    make_record(0, method="multipart", upload_digest=digest("Sealed" * 20))
    make_record(1, **FAILED, started_at=datetime(2026, 1, 2, tzinfo=UTC))
    make_record(2, bucket="removed", principal="bob")

    assert listed(admin_client, **query) == keys


@pytest.mark.parametrize(
    "query",
    [{"state": "LOST"}, {"since": "yesterday"}, {"since": "0001-01-01T00:00:00+23:59"}, {"q": "x\0"}],
)
def test_what_makes_no_sense_is_said_at_its_field(admin_client: Client, query: dict[str, str]) -> None:
    make_record()

    shown = page(admin_client, 400, **query)

    assert "errornote" in shown
    assert keys_in(shown) == []


def test_a_page_ends_where_the_next_begins(admin_client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upload_list, "PER_PAGE", 2)
    for number in range(5):
        make_record(number, principal="a&b")

    seen, query = [], {"principal": "a&b"}
    while query:
        shown = page(admin_client, **query)
        seen.append(keys_in(shown))
        older = re.search(r'<a href="\?principal=a%26b&amp;before=(\d+)"', shown)
        query = {"principal": "a&b", "before": older[1]} if older else {}

    assert seen == [["key-4", "key-3"], ["key-2", "key-1"], ["key-0"]]


@pytest.mark.parametrize("before", ["x", "-1", "9" * 40, "٣"])
def test_an_odd_page_is_the_first(admin_client: Client, before: str) -> None:
    make_record()

    assert listed(admin_client, before=before) == ["key-0"]


def test_filters_offer_the_buckets_there_are_and_the_codes_there_were(admin_client: Client) -> None:
    make_record(0, **FAILED)

    shown = page(admin_client)

    assert '<option value="uploads">' in shown
    assert '<option value="BadDigest">' in shown


def test_a_long_key_shows_its_end(admin_client: Client) -> None:
    make_record(key="a" * 300 + "/the-end.bin")

    (shown,) = listed(admin_client)

    assert shown.startswith("…")
    assert shown.endswith("/the-end.bin")


def test_a_key_is_text_and_never_markup(admin_client: Client) -> None:
    make_record(key="<script>alert(1)</script>")

    shown = page(admin_client)

    assert "<script>alert" not in shown
    assert "&lt;script&gt;alert" in shown


def test_who_reads_it_needs_the_right(client: Client) -> None:
    nobody = User.objects.create_user("nobody", is_staff=True)
    client.force_login(nobody)
    page(client, 403)
    nobody.groups.add(Group.objects.get(name="viewer"))
    page(client)


def test_nothing_can_be_written(admin_client: Client) -> None:
    record = make_record()
    for path in ("add/", f"{record.pk}/delete/", f"{record.pk}/history/", f"{record.pk}/change/", ""):
        assert admin_client.post(LIST + path, {"key": "other"}).status_code in (404, 405), path
    assert UploadRecord.objects.get().key == "key-0"


def test_a_trace_that_is_kept_is_a_link(admin_client: Client) -> None:
    kept, other = make_record(1), make_record(2)
    trace_of(kept.request_id)

    shown = page(admin_client)

    assert reverse("admin:trace", args=[kept.request_id]) in shown
    assert reverse("admin:trace", args=[other.request_id]) not in shown
    assert other.request_id[:8] in shown


def test_a_refused_request_has_no_record_but_a_trace(admin_client: Client) -> None:
    trace_of(REFUSED_ID)

    shown = page(admin_client, q=f" {REFUSED_ID.upper()} ")

    assert "No upload has the request id" in shown
    assert reverse("admin:trace", args=[REFUSED_ID]) in shown
    assert "The signature doctor says what differs" in shown


def test_a_request_of_an_upload_leads_to_it(admin_client: Client) -> None:
    make_record(7, method="multipart", upload_digest="ab" * 16)
    trace_of(REFUSED_ID, "UploadPart", upload="ab" * 16, status=200, error="")

    assert listed(admin_client, q=REFUSED_ID) == ["key-7"]


def test_an_id_that_nobody_knows_is_said_to_be_unknown(admin_client: Client) -> None:
    shown = page(admin_client, q=REFUSED_ID)

    assert "No upload has the request id" in shown
    assert "No trace of it is kept here" in shown


def test_traces_are_for_who_may_see_them(client: Client) -> None:
    record = make_record()
    trace_of(record.request_id)
    trace_of(REFUSED_ID)
    support = User.objects.create_user("support", is_staff=True)
    support.user_permissions.add(
        Group.objects.get(name="viewer").permissions.get(codename="view_uploadrecord")
    )
    client.force_login(support)

    assert "SignatureDoesNotMatch" not in page(client, q=REFUSED_ID)
    assert reverse("admin:trace", args=[record.request_id]) not in page(client)


@pytest.fixture
def broken_store() -> Iterator[None]:
    table = StoredTrace._meta.db_table
    with connections["traces"].cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} RENAME TO away")
        yield
        cursor.execute(f"ALTER TABLE away RENAME TO {table}")


def test_a_store_that_cannot_be_read_hides_no_upload(admin_client: Client, broken_store: None) -> None:
    make_record()

    assert listed(admin_client) == ["key-0"]
    assert "No upload has the request id" in page(admin_client, q=REFUSED_ID)
