"""Uploads by REST."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client

from tests.mizuchi_site.desk.test_upload_list import trace_of
from tests.mizuchi_site.desk.test_upload_pages import decision_about, told, viewer
from tests.uploads.upload_rows import make_record

pytestmark = pytest.mark.django_db(databases=["default", "traces"])

UPLOADS = "/api/v1/uploads/"
BEGAN = datetime(2026, 1, 2, tzinfo=UTC)


@pytest.fixture
def api(client: Client) -> Client:
    client.force_login(viewer())
    return client


def read(api: Client, path: str = "", status: int = 200, **query: str) -> Any:
    answer = api.get(UPLOADS + path, query)
    assert answer.status_code == status, answer.content
    return answer.json()


def keys(page: Any) -> list[str]:
    return [upload["key"] for upload in page["results"]]


def test_records_are_listed_page_by_page(api: Client) -> None:
    for number in range(5):
        make_record(number)

    page = read(api, limit="2")
    seen = [keys(page)]
    while page["next"]:
        page = api.get(page["next"]).json()
        seen.append(keys(page))

    assert seen == [["key-4", "key-3"], ["key-2", "key-1"], ["key-0"]]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"q": "ey-1"}, ["key-1"]),
        ({"request_id": f"{2:032x}"}, ["key-2"]),
        ({"upload": "ab" * 16}, ["key-0"]),
        ({"key_prefix": "key-2"}, ["key-2"]),
        ({"state": "FAILED", "error": "BadDigest", "bucket": "uploads"}, ["key-1"]),
        ({"since": "2026-01-02T00:00:00Z", "until": "2026-01-02T01:00:00%2B00:00"}, ["key-1"]),
    ],
)
def test_filters(api: Client, query: dict[str, str], found: list[str]) -> None:
    make_record(0, upload_digest="ab" * 16)
    make_record(1, state="FAILED", error_code="BadDigest", started_at=BEGAN)
    make_record(2)

    assert keys(read(api, **{name: value.replace("%2B", "+") for name, value in query.items()})) == found


@pytest.mark.parametrize(
    ("name", "value"),
    [("state", "LOST"), ("limit", "0"), ("limit", "501"), ("before", "x"), ("since", "never"), ("q", "\0")],
)
def test_what_makes_no_sense_is_refused_by_name(api: Client, name: str, value: str) -> None:
    assert list(read(api, status=400, **{name: value})) == [name]


def test_a_record_has_everything_but_the_sealed_id(api: Client) -> None:
    make_record(upload_id="sealed", checksums={"crc32": "AAAAAA=="})

    (upload,) = read(api)["results"]

    assert "upload_id" not in upload
    assert (upload["checksums"], upload["size"], upload["state"]) == ({"crc32": "AAAAAA=="}, 2048, "STORED")


def test_one_upload_with_what_is_known_besides(api: Client) -> None:
    record = make_record(
        9,
        state="FAILED",
        error_code="BadDigest",
        receive_wait_ms=600.0,
        backend_wait_ms=300.0,
        started_at=BEGAN,
        finished_at=BEGAN + timedelta(seconds=1),
    )
    decision_about(record)

    upload = read(api, f"{record.pk}/")

    assert upload["advice"]["meaning"].startswith("What came has another MD5")
    assert upload["timing"]["known_from"] == "record"
    assert {share["who"]: share["ms"] for share in upload["timing"]["shares"]} == {
        "policy": 20,
        "client": 600,
        "backend": 300,
        "us": 100,
    }
    assert [decision["outcome"] for decision in upload["decisions"]] == ["allow"]
    assert (upload["has_trace"], upload["progress"]) == (False, None)

    trace_of(record.request_id)
    upload = read(api, f"{record.pk}/")
    assert (upload["has_trace"], upload["timing"]["known_from"]) == (True, "trace")


def test_decisions_and_traces_are_for_who_may_see_them(client: Client) -> None:
    record = make_record()
    decision_about(record)
    support = User.objects.create_user("support", is_staff=True)
    rights = Group.objects.get(name="viewer").permissions
    support.user_permissions.add(rights.get(codename="view_uploadrecord"))
    client.force_login(support)

    upload = read(client, f"{record.pk}/")

    assert (upload["decisions"], upload["has_trace"]) == (None, None)


@pytest.mark.parametrize("path", ["1/", f"{'9' * 30}/", "x/", "٣/"])
def test_what_is_not_there_is_not_found(api: Client, path: str) -> None:
    assert read(api, path, 404) == {"detail": "There is no such upload."}


def test_those_in_flight(api: Client) -> None:
    in_flight = {"state": "RECEIVING", "size": None, "finished_at": None}
    slow = make_record(1, **in_flight)
    told(slow)
    make_record(2, method="multipart", parts=7, received_bytes=700, last_part_at=BEGAN, **in_flight)
    make_record(3, **in_flight)

    board = read(api, "in-flight/")

    first, second = board["uploads"]
    assert (board["just_begun"], board["is_cut_off"]) == (1, False)
    assert (first["id"], first["key"], first["stage"]) == (slow.pk, "key-1", "receiving")
    assert (first["received_bytes"], first["declared_bytes"]) == (256 * 1024, 1024 * 1024)
    assert [body["part_number"] for body in first["bodies"]] == [None]
    assert (second["stage"], second["parts"], second["received_bytes"]) == ("waiting", 7, 700)
    assert second["last_part_at"] == "2026-01-02T00:00:00Z"
    assert read(api, f"{slow.pk}/")["progress"] == first


def test_who_reads_them_needs_the_right(client: Client) -> None:
    paths = ["", "in-flight/", f"{make_record().pk}/"]
    for path in paths:
        read(client, path, 401)
    client.force_login(User.objects.create_user("nobody", is_staff=True))
    for path in paths:
        read(client, path, 403)
        assert client.post(UPLOADS + path).status_code == 403
