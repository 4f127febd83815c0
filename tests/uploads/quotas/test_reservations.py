"""What is reserved and used, from an upload's beginning to whatever end it has."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.utils import timezone

from authz.identity import Identity
from tests.uploads.progress.test_flows import Source
from uploads import records
from uploads.backends.base import StoredObject
from uploads.ledger.open_record import OpenRecord
from uploads.models import QuotaReservation, QuotaUsage, UploadRecord
from uploads.quotas import claim as claims
from uploads.quotas.claim import Claim
from uploads.quotas.reservations import reconcile
from uploads.quotas.rules import BucketQuota, Quota
from uploads.quotas.summary import recount
from uploads.quotas.usage import forget_past_periods
from uploads.s3.errors import NoSuchUpload, QuotaExceeded

pytestmark = pytest.mark.django_db

ALICE, BOB = Identity("alice", "sigv4"), Identity("bob", "sigv4")
QUOTA = BucketQuota(bucket=Quota(max_bytes=100, max_objects=5), principal=Quota(max_bytes=60))
DEAD = "elsewhere:1:2"


def claim(length: int | None, identity: Identity = ALICE, quota: BucketQuota = QUOTA) -> Claim:
    return Claim(quota, "uploads", identity, length)


def begin(length: int | None, identity: Identity = ALICE, quota: BucketQuota = QUOTA) -> OpenRecord:
    return records.open_record(
        identity,
        "uploads",
        "k",
        records.Method.SIMPLE,
        content_type=None,
        payload_length=length,
        claim=claim(length, identity, quota),
    )


def begin_multipart(identity: Identity = ALICE) -> UploadRecord:
    return records.begin(
        identity,
        "uploads",
        "k",
        records.Method.MULTIPART,
        content_type=None,
        upload_id="sealed",
        claim=claim(0, identity),
    )


def stored(size: int) -> StoredObject:
    return StoredObject("etag", size, {}, None, None)


def sums(principal: str = "", period: str = "") -> tuple[int, int, int, int]:
    """Used bytes and objects, reserved bytes and objects."""
    row = QuotaUsage.objects.get(bucket="uploads", principal=principal, period=period)
    return row.used_bytes, row.used_objects, row.reserved_bytes, row.reserved_objects


def test_what_is_promised_is_reserved_and_what_is_stored_is_used() -> None:
    record = begin(40)
    assert sums() == sums("alice") == (0, 0, 40, 1)

    records.stored(record, stored(30))

    assert sums() == sums("alice") == (30, 1, 0, 0)
    assert not QuotaReservation.objects.exists()


def test_a_failure_gives_back_all() -> None:
    record = begin(40)
    with pytest.raises(RuntimeError), records.failing(record):
        raise RuntimeError
    assert sums() == sums("alice") == (0, 0, 0, 0)


@pytest.mark.parametrize(
    ("identity", "length", "reason"), [(ALICE, 10, "principal_bytes"), (BOB, 11, "bucket_bytes")]
)
def test_what_does_not_fit_is_refused_and_nothing_of_it_is_written(
    identity: Identity, length: int, reason: str
) -> None:
    begin(60)
    begin(30, BOB)
    before = sums(), UploadRecord.objects.count()
    with pytest.raises(QuotaExceeded) as refused:
        begin(length, identity)
    assert refused.value.limit == ("quota", reason)
    assert (sums(), UploadRecord.objects.count()) == before


def test_objects_are_counted_too() -> None:
    for _ in range(5):
        begin(0)
    with pytest.raises(QuotaExceeded) as refused:
        begin(0)
    assert refused.value.limit == ("quota", "bucket_objects")


def test_a_principal_may_have_a_quota_of_its_own() -> None:
    quota = BucketQuota(principal=Quota(max_bytes=0), principals={"alice": Quota(max_bytes=10)})
    begin(10, ALICE, quota)
    with pytest.raises(QuotaExceeded):
        begin(1, BOB, quota)


def test_what_was_stored_before_there_was_a_quota_counts() -> None:
    old = records.open_record(
        ALICE, "uploads", "old", records.Method.SIMPLE, content_type=None, payload_length=50
    )
    records.stored(old, stored(50))
    with pytest.raises(QuotaExceeded):
        begin(11)
    begin(10)
    assert sums("alice") == (50, 1, 10, 1)


def test_each_period_begins_with_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    quota = BucketQuota(per="month", bucket=Quota(max_bytes=10))
    november = datetime(2026, 11, 30, 23, 59, 59, tzinfo=UTC)
    monkeypatch.setattr(timezone, "now", lambda: november)
    record = begin(10, ALICE, quota)
    monkeypatch.setattr(timezone, "now", lambda: november.replace(month=12, day=1))
    begin(10, ALICE, quota)
    records.stored(record, stored(10))
    assert sums(period="2026-11") == (10, 1, 0, 0)
    assert sums(period="2026-12") == (0, 0, 10, 1)


def test_sums_of_days_and_months_long_past_are_forgotten() -> None:
    for period in ("", "2026-08", "2026-09-30", "2026-10", "2026-10-01"):
        QuotaUsage.objects.create(bucket="uploads", period=period)
    forget_past_periods(datetime(2026, 12, 2, tzinfo=UTC))
    assert set(QuotaUsage.objects.values_list("period", flat=True)) == {"", "2026-10", "2026-10-01"}


def receive(record: OpenRecord, wanted: Claim, size: int) -> int:
    source = wanted.guard(Source(size))
    room = memoryview(bytearray(10))
    received = 0
    with records.failing(record):
        while count := source.read_into(room):
            received += count
    return received


def test_a_body_of_unknown_length_reserves_as_it_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claims, "STEP_BYTES", 30)
    wanted = claim(None)
    record = records.open_record(
        ALICE, "uploads", "k", records.Method.FORM, content_type=None, payload_length=None, claim=wanted
    )
    assert receive(record, wanted, 35) == 35
    assert sums() == (0, 0, 60, 1)
    records.stored(record, stored(35))
    assert sums() == (35, 1, 0, 0)


def test_it_ends_exactly_where_the_quota_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claims, "STEP_BYTES", 50)
    wanted = claim(None)
    record = records.open_record(
        ALICE, "uploads", "k", records.Method.FORM, content_type=None, payload_length=None, claim=wanted
    )
    with pytest.raises(QuotaExceeded):
        receive(record, wanted, 61)
    assert UploadRecord.objects.get().error_code == "QuotaExceeded"
    assert sums() == (0, 0, 0, 0)
    again = claim(None)
    record = records.open_record(
        ALICE, "uploads", "k", records.Method.FORM, content_type=None, payload_length=None, claim=again
    )
    assert receive(record, again, 60) == 60


def test_parts_are_reserved_until_their_upload_is_over() -> None:
    record = begin_multipart()
    assert sums() == (0, 0, 0, 1)
    with claim(20).part(record, 1):
        assert sums() == (0, 0, 20, 1)
    with claim(30).part(record, 2):
        pass
    assert sums() == (0, 0, 50, 1)
    with pytest.raises(QuotaExceeded):
        claim(11).part(record, 3).__enter__()
    records.stored(record, stored(20), parts=1)
    assert sums() == sums("alice") == (20, 1, 0, 0)


def test_a_part_that_failed_gives_back_and_one_sent_again_counts_once() -> None:
    record = begin_multipart()
    with pytest.raises(RuntimeError), claim(20).part(record, 1):
        raise RuntimeError
    assert sums() == (0, 0, 0, 1)
    for length in (20, 25):
        with claim(length).part(record, 1):
            pass
    assert sums() == (0, 0, 25, 1)
    records.aborted(record)
    assert sums() == (0, 0, 0, 0)


def test_a_part_comes_too_late_for_an_upload_that_is_over() -> None:
    record = begin_multipart()
    late = claim(20).part(record, 1)
    late.__enter__()
    records.aborted(record)
    late.__exit__(None, None, None)
    with pytest.raises(NoSuchUpload):
        claim(20).part(record, 2).__enter__()
    assert sums() == (0, 0, 0, 0)


def test_what_dead_workers_held_ends_as_their_records_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("uploads.quotas.reservations.is_dead", lambda worker: worker == DEAD)
    cut, done, live, multipart = begin(10), begin(10), begin(10), begin_multipart()
    claim(5).part(multipart, 1).__enter__()
    claim(6).part(multipart, 2).__enter__()
    QuotaReservation.objects.filter(part_number=1).update(worker=DEAD)
    assert cut.pk is not None
    assert done.pk is not None
    UploadRecord.objects.filter(pk=cut.pk).update(state="FAILED", error_code="WorkerDied")
    UploadRecord.objects.filter(pk=done.pk).update(state="STORED", size=9)

    assert reconcile() == 3

    assert sums() == sums("alice") == (9, 1, 10 + 6, 2)
    assert reconcile() == 0
    records.stored(live, stored(10))
    assert sums() == (19, 2, 6, 1)


def test_sums_are_put_right_by_the_records() -> None:
    records.stored(begin(10), stored(10))
    begin(20)
    QuotaUsage.objects.update(used_bytes=7, reserved_objects=3)
    UploadRecord.objects.filter(state="STORED").update(size=11)

    assert recount() == 2

    assert sums() == sums("alice") == (11, 1, 20, 1)
    assert recount() == 0


def test_a_brief_object_without_a_quota_is_not_written_ahead() -> None:
    record = records.open_record(
        ALICE, "uploads", "k", records.Method.SIMPLE, content_type=None, payload_length=7
    )
    assert record.pk is None
    assert not QuotaUsage.objects.exists()


def test_a_settled_record_is_not_settled_again_when_it_is_written_late() -> None:
    record = begin(10)
    ending = {"state": "STORED", "size": 10}
    record.end(ending)
    record.end_late(ending)
    assert sums() == (10, 1, 0, 0)
