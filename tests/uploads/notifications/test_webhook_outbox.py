"""An object is recorded and announced in one transaction; whoever listens in the process is told then."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext

from authz.identity import Identity
from tests.uploads.notifications.webhook_rows import make_webhook
from uploads import records
from uploads.backends.base import StoredObject
from uploads.ledger.open_record import OpenRecord
from uploads.ledger.outage import Outage
from uploads.models import UploadRecord, WebhookDelivery
from uploads.notifications.event import ObjectStored
from uploads.notifications.outbox import WRITTEN, BucketWebhooks
from uploads.signals import object_stored

pytestmark = pytest.mark.django_db

ALICE = Identity("alice", "sigv4")
STORED = StoredObject("etag", 7, {"crc32": "AAAAAA=="}, "FULL_OBJECT", "v1")
WEBHOOKS = BucketWebhooks([make_webhook(), make_webhook(name="other", format="s3")])


@pytest.fixture(autouse=True)
def outage(monkeypatch: pytest.MonkeyPatch) -> Outage:
    outage = Outage()
    monkeypatch.setattr(records, "OUTAGE", outage)
    return outage


def brief() -> OpenRecord:
    """The record of a small object: in the database when it is stored."""
    method = records.Method.SIMPLE
    return records.open_record(ALICE, "uploads", "k", method, content_type="text/plain", payload_length=7)


def ahead() -> OpenRecord:
    """One that is in the database already."""
    record = brief()
    record.write_ahead()
    return record


def multipart() -> UploadRecord:
    method = records.Method.MULTIPART
    return records.begin(ALICE, "uploads", "k", method, content_type="text/plain", upload_id="u")


@pytest.mark.parametrize("begin", [brief, ahead, multipart])
def test_each_webhook_has_a_delivery_with_the_record(begin: Callable[[], Any]) -> None:
    WRITTEN.clear()

    records.stored(begin(), STORED, webhooks=WEBHOOKS)

    assert UploadRecord.objects.get().state == "STORED"
    deliveries = list(WebhookDelivery.objects.order_by("id"))
    assert [(each.webhook, each.bucket, each.key, each.state) for each in deliveries] == [
        ("indexer", "uploads", "k", "PENDING"),
        ("other", "uploads", "k", "PENDING"),
    ]
    assert deliveries[0].event_id == deliveries[1].event_id
    assert WRITTEN.is_set()


@pytest.mark.parametrize("begin", [brief, ahead, multipart])
def test_there_is_neither_without_the_other(
    begin: Callable[[], Any], monkeypatch: pytest.MonkeyPatch, outage: Outage
) -> None:
    record = begin()

    def away(*args: Any, **kwargs: Any) -> None:
        raise OperationalError("away")

    with monkeypatch.context() as patched:
        patched.setattr(WebhookDelivery.objects, "bulk_create", away)
        patched.setattr("django.db.models.query.QuerySet.bulk_create", away)
        records.stored(record, STORED, webhooks=WEBHOOKS)
    assert not UploadRecord.objects.filter(state="STORED").exists()
    assert not WebhookDelivery.objects.exists()

    outage.write_late()

    assert UploadRecord.objects.get().state == "STORED"
    assert WebhookDelivery.objects.count() == 2


@pytest.mark.parametrize("begin", [brief, ahead])
def test_what_was_committed_without_our_hearing_of_it_is_announced_once(begin: Callable[[], Any]) -> None:
    record = begin()
    records.stored(record, STORED, webhooks=WEBHOOKS)
    announced = list(WebhookDelivery.objects.values_list("event_id", flat=True))

    deliveries = WebhookDelivery.objects.all()
    record.end_late({"state": "STORED", "size": 7}, list(deliveries))

    assert list(WebhookDelivery.objects.values_list("event_id", flat=True)) == announced


def test_a_multipart_upload_that_two_requests_complete_is_announced_once() -> None:
    record = multipart()

    records.stored(record, STORED, webhooks=WEBHOOKS)
    records.stored(record, STORED, webhooks=WEBHOOKS)

    assert WebhookDelivery.objects.count() == 2


def test_a_bucket_without_webhooks_writes_what_it_wrote_before() -> None:
    with CaptureQueriesContext(connection) as captured:
        records.stored(brief(), STORED)

    assert len(captured) == 1


@contextmanager
def listener(receiver: Callable[..., None]) -> Iterator[None]:
    object_stored.connect(receiver)
    try:
        yield
    finally:
        object_stored.disconnect(receiver)


def test_who_listens_is_told_after_the_commit() -> None:
    told: list[tuple[ObjectStored, str]] = []

    def listens(sender: type[ObjectStored], event: ObjectStored, **more: Any) -> None:
        told.append((event, UploadRecord.objects.get().state))

    with listener(listens):
        records.stored(multipart(), STORED)

    ((event, state),) = told
    assert state == "STORED"
    assert (event.name, event.bucket, event.key) == (
        "ObjectCreated:CompleteMultipartUpload",
        "uploads",
        "k",
    )
    assert (event.principal, event.size, event.etag, event.version_id) == ("alice", 7, "etag", "v1")


def test_a_listener_that_raises_harms_nothing_and_its_text_is_not_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fails(**more: Any) -> None:
        raise RuntimeError("about alice's file")

    with listener(fails):
        records.stored(brief(), STORED)

    assert UploadRecord.objects.get().state == "STORED"
    assert "RuntimeError" in caplog.text
    assert "alice" not in caplog.text
