from __future__ import annotations

from dataclasses import replace

import pytest
from django.db import DatabaseError, DataError, connection
from django.test.utils import CaptureQueriesContext

from authz.identity import BucketScope, Identity
from authz.sigv4.proof import UnsignedPayload
from tests.uploads.progress.test_flows import Source
from uploads import abandoned, own_records, records
from uploads.backends.base import StoredObject
from uploads.backends.errors import OutOfSpace
from uploads.body.verified import VerifiedBody
from uploads.ledger.group_commit import GroupCommit
from uploads.ledger.open_record import OpenRecord
from uploads.ledger.outage import Outage
from uploads.models import UploadRecord
from uploads.s3.errors import BadDigest, IncompleteBody
from uploads.s3.headers import ExpectedDigests
from uploads.upload_id import UploadOwner

pytestmark = pytest.mark.django_db

ALICE, BOB = Identity("alice", "sigv4"), Identity("bob", "sigv4")
STORED = StoredObject("etag", 7, {"crc32": "AAAAAA=="}, "FULL_OBJECT", "v1")


def begin(identity: Identity = ALICE, key: str = "k", upload_id: str = "") -> UploadRecord:
    method = records.Method.MULTIPART if upload_id else records.Method.SIMPLE
    return records.begin(identity, "uploads", key, method, content_type="text/plain", upload_id=upload_id)


@pytest.fixture(autouse=True)
def outage(monkeypatch: pytest.MonkeyPatch) -> Outage:
    """What is known of the database, for each test anew."""
    outage = Outage()
    monkeypatch.setattr(records, "OUTAGE", outage)
    return outage


def open_record(payload_length: int | None = 7, key: str = "k") -> OpenRecord:
    return records.open_record(
        ALICE, "uploads", key, records.Method.SIMPLE, content_type=None, payload_length=payload_length
    )


def states() -> list[str]:
    return list(UploadRecord.objects.order_by("id").values_list("state", flat=True))


def test_it_is_written_before_and_finished_after() -> None:
    record = begin()
    assert UploadRecord.objects.get().state == "RECEIVING"

    records.stored(record, STORED)

    found = UploadRecord.objects.get()
    assert (found.state, found.size, found.etag, found.version_id) == ("STORED", 7, "etag", "v1")
    assert found.finished_at is not None
    assert found.finished_at >= found.started_at
    assert own_records.as_stored_object(found) == STORED


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (BadDigest(), "BadDigest"),
        (OutOfSpace(), "ServiceUnavailable"),
        (RuntimeError("x"), "InternalError"),
        (KeyboardInterrupt(), "InternalError"),
    ],
    ids=["s3", "backend", "unforeseen", "interrupt"],
)
def test_any_other_exit_is_a_failure_with_the_code_the_client_got(error: BaseException, code: str) -> None:
    record = begin()

    with pytest.raises(type(error)), records.failing(record):
        raise error

    found = UploadRecord.objects.get()
    assert (found.state, found.error_code) == ("FAILED", code)


def received(size: int, *, promised: int | None = None) -> VerifiedBody:
    return VerifiedBody(
        Source(size),
        proof=UnsignedPayload(),
        expected=ExpectedDigests(),
        wire_length=promised or size,
        payload_length=promised or size,
        max_bytes=1 << 20,
    )


def test_the_record_knows_what_came_and_who_waited() -> None:
    record, body = begin(), received(7)

    with records.failing(record, body):
        assert b"".join(bytes(block) for block in body) == bytes(7)
    records.stored(record, STORED, body)

    found = UploadRecord.objects.get()
    assert found.received_bytes == 7
    assert found.receive_wait_ms is not None
    assert found.receive_wait_ms > 0
    assert found.backend_wait_ms == 0


def test_the_record_of_a_failure_knows_how_much_came() -> None:
    record, body = begin(), received(5, promised=7)

    with pytest.raises(IncompleteBody), records.failing(record, body):
        list(body)

    assert UploadRecord.objects.get().received_bytes == 5


def test_the_record_of_a_multipart_upload_knows_its_parts() -> None:
    records.stored(begin(upload_id="sealed"), STORED, parts=3)

    assert UploadRecord.objects.get().parts == 3


@pytest.mark.parametrize("size", [0, 7, records.BRIEF_BYTES])
def test_the_record_of_a_small_object_is_written_once(size: int) -> None:
    with CaptureQueriesContext(connection) as captured:
        record = open_record(size)
        assert len(captured) == 0
        records.stored(record, STORED)

    assert len(captured) == 1
    found = own_records.receipt(ALICE, "uploads", "k")
    assert found is not None
    assert own_records.as_stored_object(found) == STORED


def test_the_record_of_a_small_object_that_failed_is_written_too() -> None:
    record, body = open_record(), received(5, promised=7)

    with pytest.raises(IncompleteBody), records.failing(record, body):
        list(body)

    found = UploadRecord.objects.get()
    assert (found.state, found.error_code, found.received_bytes) == ("FAILED", "IncompleteBody", 5)


@pytest.mark.parametrize(
    ("length", "key"),
    [(records.BRIEF_BYTES + 1, "k"), (None, "k"), (7, "nul\0")],
    ids=["big", "unknown", "no text for PostgreSQL"],
)
def test_what_may_take_long_or_be_refused_is_written_ahead(length: int | None, key: str) -> None:
    record = open_record(length, key)
    assert states() == ["RECEIVING"]

    records.stored(record, STORED)

    assert states() == ["STORED"]


def broken(*args: object, **kwargs: object) -> None:
    raise DatabaseError("gone")


def test_a_database_that_fails_at_the_end_fails_no_upload_and_has_the_record_late(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, outage: Outage
) -> None:
    record = begin()

    with monkeypatch.context() as failing:
        failing.setattr("django.db.models.query.QuerySet.update", broken)
        records.stored(record, STORED)
    assert "could not be marked STORED, it is tried again" in caplog.text
    assert states() == ["RECEIVING"]

    outage.write_late()
    assert states() == ["STORED"]


def test_a_small_object_whose_record_fails_is_recorded_late_and_others_are_refused_before(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, outage: Outage
) -> None:
    record = open_record()
    with monkeypatch.context() as failing:
        failing.setattr("uploads.ledger.open_record.ROWS", GroupCommit(broken))
        failing.setattr("django.db.models.query.QuerySet.create", broken)
        records.stored(record, STORED)
        assert "could not be marked STORED, it is tried again" in caplog.text
        with pytest.raises(DatabaseError):
            open_record(key="other")

    outage.write_late()

    assert states() == ["STORED"]
    open_record(key="another")
    assert states() == ["STORED"], "trusted again"


def test_a_database_that_failed_is_trusted_when_it_took_a_record(outage: Outage) -> None:
    outage.failed(lambda: None, DataError("unwanted"))

    ahead = open_record(key="first")
    assert states() == ["RECEIVING"]
    records.stored(ahead, STORED)
    open_record(key="second")

    assert states() == ["STORED"]


def test_a_receipt_is_the_newest_of_the_same_principal() -> None:
    records.stored(begin(), StoredObject("old", 1))
    records.stored(begin(), StoredObject("new", 2))
    records.stored(begin(BOB), StoredObject("bobs", 3))
    records.failed(begin(), "BadDigest")

    found = own_records.receipt(ALICE, "uploads", "k")

    assert found is not None
    assert found.etag == "new"
    assert own_records.receipt(ALICE, "uploads", "other") is None
    assert own_records.receipt(ALICE, "elsewhere", "k") is None


def test_a_receipt_of_a_version_is_that_versions() -> None:
    records.stored(begin(), StoredObject("first", 1, version_id="v1"))
    records.stored(begin(), StoredObject("second", 2, version_id="v2"))
    records.stored(begin(), StoredObject("unversioned", 3))

    found = {name: own_records.receipt(ALICE, "uploads", "k", name) for name in ("v1", "v2", "null", "v3")}

    etags = {name: record and record.etag for name, record in found.items()}
    assert etags == {"v1": "first", "v2": "second", "null": "unversioned", "v3": None}


def test_uploads_in_progress_are_the_callers_own_in_pages() -> None:
    for number, key in enumerate(["b", "a", "a", "c"]):
        begin(key=key, upload_id=f"id-{number}")
    begin(BOB, key="a", upload_id="bobs")
    records.aborted(begin(key="a", upload_id="gone"))

    def page(key_marker: str = "", upload_id_marker: str = "", prefix: str = "") -> list[str]:
        found = own_records.uploads_in_progress(
            ALICE,
            "uploads",
            prefix=prefix,
            key_marker=key_marker,
            upload_id_marker=upload_id_marker,
            limit=10,
        )
        return [record.upload_id for record in found]

    assert page() == ["id-1", "id-2", "id-0", "id-3"]
    assert page(key_marker="a") == ["id-0", "id-3"]
    assert page(key_marker="a", upload_id_marker="id-1") == ["id-2", "id-0", "id-3"]
    assert page(prefix="c") == ["id-3"]


@pytest.mark.parametrize(
    ("prefixes", "keys"),
    [((), []), (("a/", "c/"), ["a/1", "c/1"]), (("",), ["a/1", "b/1", "c/1"])],
    ids=["none", "two", "all"],
)
def test_uploads_in_progress_are_those_in_the_callers_scope(
    prefixes: tuple[str, ...], keys: list[str]
) -> None:
    for key in ("a/1", "b/1", "c/1"):
        begin(key=key, upload_id=key)
    narrow = replace(ALICE, scope=BucketScope(prefixes={"uploads": prefixes}))

    found = own_records.uploads_in_progress(
        narrow, "uploads", prefix="", key_marker="", upload_id_marker="", limit=10
    )

    assert [record.key for record in found] == keys


def test_an_upload_is_found_by_its_id_for_its_owner_only() -> None:
    begin(upload_id="secret-id")

    assert own_records.multipart(UploadOwner("alice", "uploads", "k"), "secret-id") is not None
    assert own_records.multipart(UploadOwner("bob", "uploads", "k"), "secret-id") is None


def test_what_a_dead_worker_was_receiving_has_failed() -> None:
    mine, dead, elsewhere = begin(), begin(), begin()
    multipart = begin(upload_id="goes-on")
    host = mine.worker.partition(":")[0]
    UploadRecord.objects.filter(pk__in=[dead.pk, multipart.pk]).update(worker=f"{host}:1:0")
    UploadRecord.objects.filter(pk=elsewhere.pk).update(worker="elsewhere:1:0")

    assert abandoned.fail_orphans() == 1

    states = dict(UploadRecord.objects.values_list("pk", "state"))
    assert states == {
        mine.pk: "RECEIVING",
        dead.pk: "FAILED",
        elsewhere.pk: "RECEIVING",
        multipart.pk: "RECEIVING",
    }
    assert UploadRecord.objects.get(pk=dead.pk).error_code == "WorkerDied"
