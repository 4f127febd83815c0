"""``manage.py prune_uploads`` ends what nobody finishes, and nothing else."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.utils import timezone

from authz.authentication import configured_authenticator
from authz.identity import Authenticated, Identity
from authz.sigv4.proof import UnsignedPayload
from uploads import multipart, own_records, records
from uploads.backends.errors import BackendError, BackendUnavailable, UploadNotFound
from uploads.body.verified import VerifiedBody
from uploads.config import BucketConfig, FilesystemStorageConfig, S3StorageConfig, UploadsConfig
from uploads.gateway import Gateway, build_gateway
from uploads.models import UploadRecord
from uploads.s3.addressing import Address
from uploads.s3.operations import Operation
from uploads.s3.request import S3Request
from uploads.wire_source import WireSource

pytestmark = pytest.mark.django_db

ALICE = Authenticated(Identity("alice", "sigv4"), UnsignedPayload())
EVERYTHING = "0.0000001"


@dataclass(frozen=True)
class Upload:
    """A multipart upload that was begun through the gateway."""

    gateway: Gateway
    request: S3Request

    def put_part(self) -> None:
        opened = self.opened()
        source = WireSource(io.BytesIO(b"part"), expected_bytes=4)
        body = VerifiedBody(
            source,
            proof=UnsignedPayload(),
            expected=multipart.expected_digests({}),
            wire_length=4,
            payload_length=4,
            max_bytes=4,
        )
        self.gateway.buckets["b"].backend.upload_part(opened.ref, 1, body, {})

    def opened(self) -> multipart.OpenedUpload:
        return multipart.open_upload(self.gateway, self.gateway.buckets["b"], self.request, ALICE.identity)

    def is_there(self) -> bool:
        try:
            self.gateway.buckets["b"].backend.list_parts(self.opened().ref, 0, 1)
        except UploadNotFound:
            return False
        return True

    @property
    def record(self) -> UploadRecord:
        record = own_records.multipart(self.opened().owner, self.request.query["uploadId"])
        assert record is not None
        return record


def begin(gateway: Gateway, key: str = "k") -> Upload:
    request = S3Request(Operation.CREATE_MULTIPART_UPLOAD, Address("b", key), {}, {}, 0, 0)
    upload_id = multipart.create(gateway, gateway.buckets["b"], request, ALICE)
    return Upload(gateway, replace(request, query={"uploadId": upload_id}))


def gateway_of(storage: Any, target: str) -> Gateway:
    config = UploadsConfig(
        storages=(storage,),
        buckets=(BucketConfig("b", "storage", target, prefix="in/"),),
        sealing_keys=(b"k" * 32,),
    )
    return build_gateway(config, configured_authenticator())


@pytest.fixture
def disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Gateway:
    gateway = gateway_of(FilesystemStorageConfig("storage", tmp_path / "objects"), "b")
    monkeypatch.setattr(apps.get_app_config("uploads"), "gateway", gateway)
    return gateway


@pytest.fixture(params=["disk", "seaweed"])
def gateway(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gateway]:
    if request.param == "disk":
        yield request.getfixturevalue("disk")
        return
    server = request.getfixturevalue("seaweedfs")
    storage = S3StorageConfig(
        "storage", endpoint=server.endpoint, access_key=server.access_key, secret_key=server.secret_key
    )
    gateway = gateway_of(storage, server.create_bucket("prune"))
    monkeypatch.setattr(apps.get_app_config("uploads"), "gateway", gateway)
    yield gateway
    gateway.buckets["b"].backend.wrapped.close()  # type: ignore[attr-defined]


def run(*options: str) -> str:
    """Runs the command on everything that is older than now; returns what it said."""
    said = io.StringIO()
    time.sleep(1.1)  # S3 tells the time in whole seconds
    call_command("prune_uploads", f"--older-than-hours={EVERYTHING}", *options, stdout=said, stderr=said)
    return said.getvalue()


def test_old_uploads_are_ended_with_their_records(gateway: Gateway) -> None:
    bare, with_part = begin(gateway, "bare"), begin(gateway, "folder/with-part")
    with_part.put_part()

    said = run()

    assert "ended b/bare, begun 2" in said
    assert "ended b/folder/with-part, begun 2" in said
    assert "ended 2 uploads, 0 failures" in said
    assert not bare.is_there()
    assert not with_part.is_there()
    assert [(u.record.state, u.record.error_code) for u in (bare, with_part)] == [("ABORTED", "Expired")] * 2
    assert bare.record.finished_at is not None


def test_one_that_gets_parts_goes_on_however_old_it_is(gateway: Gateway) -> None:
    old = begin(gateway)
    time.sleep(1.1)
    seconds_ago = time.time()
    time.sleep(1.1)
    old.put_part()
    said = io.StringIO()

    hours = (time.time() - seconds_ago) / 3600
    call_command("prune_uploads", f"--older-than-hours={hours}", stdout=said)

    assert "ended 0 uploads, 0 failures" in said.getvalue()
    assert old.is_there()
    assert old.record.state == "RECEIVING"


def test_a_dry_run_only_tells(disk: Gateway) -> None:
    upload = begin(disk)
    slow = records.begin(ALICE.identity, "b", "slow", records.Method.SIMPLE, content_type=None)

    said = run("--dry-run")

    assert "would end b/k, begun 2" in said
    assert "would end 1 uploads, 0 failures" in said
    assert upload.is_there()
    slow.refresh_from_db()
    assert (upload.record.state, slow.state) == ("RECEIVING", "RECEIVING")


def test_without_an_option_the_configured_age_counts(disk: Gateway) -> None:
    upload = begin(disk)
    said = io.StringIO()

    call_command("prune_uploads", stdout=said)

    assert said.getvalue() == "ended 0 uploads, 0 failures\n"
    assert upload.is_there()


def test_uploads_outside_the_prefix_are_somebody_elses(disk: Gateway) -> None:
    backend = disk.buckets["b"].backend
    elsewhere = replace(begin(disk).opened().ref, key="out/k")
    backend_id = backend.create_multipart_upload(multipart.ObjectWrite("b", "out/k"), None)

    run()

    assert backend.list_parts(replace(elsewhere, backend_id=backend_id), 0, 1).parts == ()


def test_a_request_that_never_ended_has_failed(disk: Gateway) -> None:
    lost = records.begin(ALICE.identity, "b", "lost", records.Method.SIMPLE, content_type=None)

    run()

    lost.refresh_from_db()
    assert (lost.state, lost.error_code) == ("FAILED", "Abandoned")


@pytest.mark.parametrize("call", ["abort_multipart_upload", "list_parts"])
def test_what_fails_is_told_and_kept_for_the_next_time(
    disk: Gateway, call: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stuck, other = begin(disk, "stuck"), begin(disk, "other")
    backend = disk.buckets["b"].backend
    working = getattr(backend, call)

    def failing(ref: Any, *args: Any) -> Any:
        if ref.key == "in/stuck":
            raise BackendUnavailable(detail="10.0.0.7 timed out")
        return working(ref, *args)

    with monkeypatch.context() as patch:
        patch.setattr(backend, call, failing)
        with pytest.raises(CommandError, match="1 uploads could not be ended; run it again"):
            call_command("prune_uploads", f"--older-than-hours={EVERYTHING}")

    printed = capsys.readouterr()
    assert f"b/stuck: {BackendUnavailable.message}" in printed.err
    assert "10.0.0.7" not in printed.err + printed.out
    assert "ended b/other" in printed.out
    assert (stuck.is_there(), other.is_there()) == (True, False)
    assert (stuck.record.state, other.record.state) == ("RECEIVING", "ABORTED")


def test_a_bucket_that_cannot_be_searched_keeps_its_records(
    disk: Gateway, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    upload = begin(disk)

    def failing(*args: Any) -> Any:
        raise BackendError

    with monkeypatch.context() as patch:
        patch.setattr(disk.buckets["b"].backend, "stale_uploads", failing)
        with pytest.raises(CommandError):
            call_command("prune_uploads", f"--older-than-hours={EVERYTHING}")

    assert f"b/: {BackendError.message}" in capsys.readouterr().err
    assert upload.record.state == "RECEIVING"


def test_one_that_was_finished_meanwhile_is_not_counted(
    disk: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = begin(disk)
    backend = disk.buckets["b"].backend
    found = backend.stale_uploads("b", "in/", time.time() + 1)
    backend.abort_multipart_upload(found[0].ref)
    records.stored(upload.record, records.StoredObject("etag", 1))
    monkeypatch.setattr(backend, "stale_uploads", lambda *args: found)

    assert "ended 0 uploads, 0 failures" in run()
    assert upload.record.state == "STORED"


@pytest.mark.parametrize(
    "lost",
    [{"bucket": "removed"}, {"upload_id": "sealed with a key that is gone"}],
    ids=["bucket", "sealing-key"],
)
def test_records_of_uploads_that_nobody_can_reach_are_closed(disk: Gateway, lost: dict[str, str]) -> None:
    begin(disk)
    UploadRecord.objects.update(**lost)
    run()

    assert UploadRecord.objects.get().state == "ABORTED"


@pytest.mark.parametrize("hours", ["0", "-1", "nan", "inf", "1e12"])
def test_an_age_must_be_one(disk: Gateway, hours: str) -> None:
    with pytest.raises(CommandError, match="must be greater than 0"):
        call_command("prune_uploads", f"--older-than-hours={hours}")


def test_a_live_request_is_younger_than_any_sensible_age(disk: Gateway) -> None:
    live = records.begin(ALICE.identity, "b", "live", records.Method.SIMPLE, content_type=None)

    call_command("prune_uploads", "--older-than-hours=1", stdout=io.StringIO())

    live.refresh_from_db()
    assert live.state == "RECEIVING"
    assert live.started_at <= timezone.now()
