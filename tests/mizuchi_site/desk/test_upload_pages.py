"""The page of one upload, and that of those in flight."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from authz.models import PolicyDecision
from mizuchi_site.upload_details import details_of
from mizuchi_site.upload_timing import timing_of_record
from tests.mizuchi_site.desk.test_upload_list import trace_of
from tests.uploads.upload_rows import make_record
from uploads.models import UploadProgress, UploadRecord

pytestmark = pytest.mark.django_db(databases=["default", "traces"])

BEGAN = datetime(2026, 1, 2, 3, 4, 5, 678_000, tzinfo=UTC)


def page_of(client: Client, record: UploadRecord, status: int = 200) -> str:
    answer = client.get(reverse("admin:uploads_uploadrecord_change", args=[record.pk]))
    assert answer.status_code == status
    return answer.content.decode()


def facts(page: str) -> dict[str, str]:
    """The names and values of a page, without markup."""
    found = re.findall(r"<dt>(.*?)</dt>\s*<dd[^>]*>(.*?)</dd>", page, re.DOTALL)
    return {name: " ".join(re.sub("<[^>]+>", "", value).split()) for name, value in found}


def decision_about(record: UploadRecord, **fields: Any) -> PolicyDecision:
    values = {
        "decided_at": timezone.now(),
        "request_id": record.request_id,
        "principal": record.principal,
        "action": "s3:PutObject",
        "operation": "PutObject",
        "bucket": record.bucket,
        "outcome": "allow",
        "engine": "opa",
        "reason": "allowed",
        "is_enforced": True,
        "duration_ms": 20.0,
    }
    return PolicyDecision.objects.create(**values | fields)


def viewer() -> User:
    user = User.objects.create_user("viewer", is_staff=True)
    user.groups.add(Group.objects.get(name="viewer"))
    return user


def test_it_tells_everything_but_the_sealed_id(admin_client: Client) -> None:
    record = make_record(
        7,
        upload_id="sealed-id",
        upload_digest="ab" * 16,
        checksums={"crc32": "AAAAAA=="},
        checksum_type="COMPOSITE",
        method="multipart",
        parts=3,
        content_type="image/png",
        version_id="v1",
        started_at=BEGAN,
        finished_at=BEGAN + timedelta(milliseconds=1500),
    )

    page = page_of(admin_client, record)

    assert "sealed-id" not in page
    assert facts(page) == {
        "Bucket": "uploads",
        "Key": "key-7",
        "Size": "2.0 KiB (2,048 bytes)",
        "Parts": "3",
        "Content type": "image/png",
        "ETag": record.etag,
        "Version": "v1",
        "CRC32": "AAAAAA==",
        "Checksum of": "the checksums of the parts (COMPOSITE)",
        "Principal": "alice (sigv4)",
        "Method": "Multipart",
        "Began": "2026-01-02 03:04:05.678 UTC",
        "Ended": "2026-01-02 03:04:07.178 UTC",
        "Took": "1.50 s",
        "Request id": f"{record.request_id} no trace of it is kept here",
        "Digest of its upload id": "ab" * 16,
        "Worker": "host:1:1",
    }


def test_a_failure_says_what_to_do_and_how_much_came(admin_client: Client) -> None:
    record = make_record(state="FAILED", error_code="BadDigest", size=None, received_bytes=1024, etag="")

    shown = facts(page_of(admin_client, record))

    assert shown["Received"] == "1.0 KiB (1,024 bytes)"
    assert "another MD5 or checksum" in shown["What happened"]
    assert "Send it again" in shown["What to do"]
    assert "Size" not in shown


def test_the_code_of_a_storage_is_explained_as_such(admin_client: Client) -> None:
    record = make_record(state="FAILED", error_code="XMinioParentIsObject")

    assert "own code" in page_of(admin_client, record)


def test_its_trace_is_one_click_away_when_it_is_kept(admin_client: Client) -> None:
    record, other = make_record(1), make_record(2)
    trace_of(record.request_id)

    assert f'href="{reverse("admin:trace", args=[record.request_id])}"' in page_of(admin_client, record)
    assert "no trace of it is kept here" in page_of(admin_client, other)


def test_the_decision_is_for_who_may_see_decisions(client: Client) -> None:
    record = make_record()
    decision_about(record, outcome="deny", reason="quota", is_enforced=False)
    client.force_login(viewer())
    shown = facts(page_of(client, record))
    assert (shown["Outcome"], shown["Reason"]) == (
        "deny in shadow: recorded, and not obeyed",
        "quota by opa",
    )

    support = User.objects.create_user("support", is_staff=True)
    rights = Group.objects.get(name="viewer").permissions
    support.user_permissions.add(rights.get(codename="view_uploadrecord"))
    client.force_login(support)
    assert "quota" not in page_of(client, record)


def test_the_bar_shows_who_was_waited_for(admin_client: Client) -> None:
    record = make_record(
        receive_wait_ms=600.0,
        backend_wait_ms=300.0,
        started_at=BEGAN,
        finished_at=BEGAN + timedelta(seconds=1),
    )
    decision_about(record, duration_ms=250.0)

    page = page_of(admin_client, record)

    bar = re.findall(r'<rect class="who-(\w+)" x="([\d.]+)" width="([\d.]+)"', page)
    assert bar == [
        ("policy", "0.00", "200.00"),
        ("client", "200.00", "480.00"),
        ("backend", "680.00", "240.00"),
        ("us", "920.00", "80.00"),
    ]
    assert "waiting for the client: 600 ms" in page


def test_the_trace_knows_better_than_the_record(admin_client: Client) -> None:
    record = make_record(0xABC, receive_wait_ms=600.0, backend_wait_ms=300.0)
    trace_of(record.request_id, status=200, error="", milliseconds=100)

    timing = details_of(record).timing

    assert timing is not None
    assert (timing.known_from, round(timing.total_ms)) == ("trace", 100)
    assert "upload-timing" in page_of(admin_client, record)


def test_waits_longer_than_the_record_are_no_negative_time_of_ours() -> None:
    record = make_record(
        receive_wait_ms=900.0,
        backend_wait_ms=200.0,
        started_at=BEGAN,
        finished_at=BEGAN + timedelta(seconds=1),
    )

    timing = timing_of_record(record, 0.0)

    assert timing is not None
    assert [share.who for share in timing.shares] == ["client", "backend"]
    assert sum(share.width for share in timing.shares) == pytest.approx(1)


@pytest.mark.parametrize("fields", [{"finished_at": None, "state": "RECEIVING"}, {"receive_wait_ms": None}])
def test_without_its_times_there_is_no_bar(admin_client: Client, fields: dict[str, Any]) -> None:
    record = make_record(**{"receive_wait_ms": 1.0, "backend_wait_ms": 1.0, **fields})

    assert "upload-timing" not in page_of(admin_client, record)


def told(record: UploadRecord, **fields: Any) -> UploadProgress:
    now = timezone.now()
    values: dict[str, Any] = {
        "worker": "elsewhere:1:1",
        "stage": "receiving",
        "received_bytes": 256 * 1024,
        "declared_bytes": 1024 * 1024,
        "bytes_per_second": 2048.0,
        "began_at": now,
        "updated_at": now,
    }
    return UploadProgress.objects.create(record=record, **values | fields)


def test_one_on_its_way_shows_how_far_it_is(admin_client: Client) -> None:
    record = make_record(state="RECEIVING", size=None, finished_at=None, etag="")
    told(record)

    page = page_of(admin_client, record)

    assert "256 KiB of 1.0 MiB · 25 %" in page
    assert 'max="1048576" value="262144"' in page
    assert "2.0 KiB/s" in page


def test_what_is_not_there_is_not_found(admin_client: Client) -> None:
    for number in ("1", "9" * 30):
        assert admin_client.get(f"/admin/uploads/uploadrecord/{number}/change/").status_code == 404


def test_a_key_is_text_and_never_markup(admin_client: Client) -> None:
    page = page_of(admin_client, make_record(key="<script>alert(1)</script>", error_code="<b>"))

    assert "<script>alert" not in page
    assert "<b>" not in page


@pytest.mark.parametrize("name", ["uploads_in_flight", "uploads_uploadrecord_change"])
def test_who_reads_them_needs_the_right(client: Client, name: str) -> None:
    args = [make_record().pk] if name.endswith("change") else []
    client.force_login(User.objects.create_user("nobody", is_staff=True))
    assert client.get(reverse(f"admin:{name}", args=args)).status_code == 403
    client.force_login(viewer())
    assert client.get(reverse(f"admin:{name}", args=args)).status_code == 200


def test_those_in_flight_are_on_one_page(admin_client: Client) -> None:
    in_flight = {"state": "RECEIVING", "size": None, "finished_at": None}
    told(make_record(1, key="slow.bin", **in_flight))
    multipart = make_record(
        2, key="big.bin", method="multipart", parts=7, received_bytes=7 << 20, **in_flight
    )
    told(multipart, part_number=8)
    make_record(3, key="just begun", **in_flight)

    page = admin_client.get(reverse("admin:uploads_in_flight")).content.decode()

    assert "2 in flight" in page
    assert "and 1 that began in the last seconds" in page
    assert "256 KiB of 1.0 MiB · 25 %" in page
    assert "7 parts, 7.2 MiB" in page
    assert "part 8" in page
    assert "just begun" not in page


def test_when_nothing_is_under_way_it_says_so(admin_client: Client) -> None:
    page = admin_client.get(reverse("admin:uploads_in_flight")).content.decode()

    assert re.search(r'id="flight-none">', page)
    assert "0 in flight" in page
