"""The page of one trace."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from django.conf import settings as configured
from django.contrib.auth.models import Group, Permission, User
from django.db import OperationalError
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from mizuchi_site.desk.trace_failures import REQUESTS_NAMED
from tests.tracing_app.store.recorded import Recorded
from uploads.models import UploadRecord

pytestmark = pytest.mark.django_db(databases=["default", "traces"])

UNKNOWN = "e" * 32
JOINED = "0af7651916cd43dd8448eb211c80319c"
UPLOAD = "f0" * 16


@pytest.fixture
def viewer(client: Client) -> Client:
    user = User.objects.create_user("vera", password="x" * 20, is_staff=True)
    user.groups.add(Group.objects.get(name="viewer"))
    client.force_login(user)
    return client


@pytest.fixture
def record() -> Callable[..., UploadRecord]:
    def make(**fields: object) -> UploadRecord:
        values = {
            "bucket": "uploads",
            "key": "photos/cat.jpg",
            "method": "simple",
            "started_at": timezone.now(),
        }
        return UploadRecord.objects.create(**{**values, **fields})

    return make


def show(client: Client, trace_id: str, query: str = "", *, status: int = 200) -> str:
    answer: HttpResponse = client.get(f"/admin/traces/{trace_id}/{query}")  # type: ignore[assignment]
    assert answer.status_code == status
    return answer.content.decode()


def kept(**asked: object) -> str:
    recorded = Recorded()
    trace_id = recorded.request("PutObject", **asked)  # type: ignore[arg-type]
    recorded.save()
    return trace_id


class Rows(HTMLParser):
    """The rows of the treegrid, with their attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[dict[str, str | None]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        if named.get("role") == "row":
            self.found.append(named)
        assert "style" not in named
        assert not any(name.startswith("on") for name in named)


def test_a_request_with_its_spans(viewer: Client) -> None:
    trace_id = kept(milliseconds=2500)
    page = show(viewer, trace_id)
    header, root, work = Rows(page).found
    assert "aria-level" not in header
    assert (root["aria-level"], root["aria-expanded"], root["aria-setsize"]) == ("1", "true", "1")
    assert (work["aria-level"], work["aria-posinset"]) == ("2", "1")
    assert "aria-expanded" not in work
    for shown in (
        "PutObject",
        trace_id,
        "2027-01-15 08:00:00.000",
        "2.50 s",
        "uploads/in/abc",
        "body.verified",
    ):
        assert shown in page
    assert f'href="/api/v1/traces/{trace_id}/otlp/" download' in page
    assert "What failed" not in page


def test_an_error_has_its_code_and_what_to_do(viewer: Client) -> None:
    page = show(viewer, kept(status=400, error="BadDigest"))
    assert "What failed" in page
    assert "400 BadDigest" in page
    assert "What came has another MD5 or checksum than the client said." in page
    assert "the client's to mend" in page

    page = show(viewer, kept(status=503, error="ServiceUnavailable"))
    assert "a fault of the gateway or its storage" in page

    page = show(viewer, kept(status=418, error="Teapot"))
    assert "What to do" not in page


def test_all_requests_of_a_multipart_upload_are_on_one_page(viewer: Client) -> None:
    recorded = Recorded()
    recorded.request("CreateMultipartUpload", trace_id=JOINED)
    for number in range(REQUESTS_NAMED + 2):
        recorded.request(
            "UploadPart", trace_id=JOINED, at=20 * (number + 1), status=503, error="SlowDown", upload=UPLOAD
        )
    recorded.save()
    page = show(viewer, JOINED)
    assert "Trace of a multipart upload" in page
    assert "CreateMultipartUpload, 12 \N{MULTIPLICATION SIGN} UploadPart; 26 spans" in page
    assert "12 of 13 requests failed" in page
    assert page.count('id="span-') == 26
    assert page.count("503 SlowDown") == 1
    assert page.count(">UploadPart (") == REQUESTS_NAMED
    assert "and 2 more" in page


def test_a_large_upload_stays_a_page(viewer: Client) -> None:
    recorded = Recorded()
    for number in range(1000):
        recorded.request("UploadPart", trace_id=JOINED, at=20 * number)
    recorded.save()
    page = show(viewer, JOINED)
    assert len(page) < 300_000
    assert "2000 spans" in page
    (link,) = re.findall(r'href="(\?first=21)#window"', page)
    assert "979 \N{MULTIPLICATION SIGN} UploadPart" in page
    assert 'id="window"' not in page
    assert show(viewer, JOINED, link).count('id="window"') == 1
    for odd in ("?first=x", "?first=-1", "?first=99999999999999999999", "?first=999999999"):
        assert "folded" in show(viewer, JOINED, odd)


def test_a_request_of_many_can_be_seen_alone(viewer: Client) -> None:
    recorded = Recorded()
    recorded.request("CreateMultipartUpload", trace_id=JOINED)
    for number in range(1, 4):
        recorded.request("UploadPart", trace_id=JOINED, at=3_600_000 * number)
    recorded.save()
    assert 'href="?request=2"' in show(viewer, JOINED)
    page = show(viewer, JOINED, "?request=2")
    assert "Request 2 of 4" in page
    assert [f'href="?{query}"' in page for query in ("request=1", "request=3", "", "request=2")] == [
        True
    ] * 3 + [False]
    assert page.count('id="span-') == 2
    assert "10.0 ms" in page
    assert 'rel="next"' not in show(viewer, JOINED, "?request=4")
    show(viewer, JOINED, "?request=5", status=404)
    for odd in ("?request=0", "?request=x", "?request=", "?request=99999999999999"):
        assert show(viewer, JOINED, odd).count('id="span-') == 8


def test_its_uploads_are_linked(viewer: Client, record: Callable[..., UploadRecord]) -> None:
    trace_id = kept(upload=UPLOAD)
    same, joined = record(request_id=trace_id), record(request_id=UNKNOWN, upload_digest=UPLOAD)
    other = record(request_id="d" * 32)
    page = show(viewer, trace_id)
    links = [f"/admin/uploads/uploadrecord/{each.pk}/change/" in page for each in (same, joined, other)]
    assert links == [True, True, False]


def test_who_may_not_see_uploads_sees_no_link(client: Client, record: Callable[..., UploadRecord]) -> None:
    user = User.objects.create_user("tom", password="x" * 20, is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_traces"))
    client.force_login(user)
    trace_id = kept()
    record(request_id=trace_id, key="secret-name")
    assert "secret-name" not in show(client, trace_id)


def test_what_a_client_wrote_is_text(viewer: Client) -> None:
    page = show(viewer, kept(error="<img src=x>", bucket="<script>alert(1)</script>", status=400))
    assert "<img src=x" not in page
    assert "<script>alert" not in page


def test_the_collector_s_page_is_linked(viewer: Client, settings: Settings) -> None:
    settings.TRACING = replace(configured.TRACING, ui_url="http://jaeger:16686/trace/{trace_id}")
    trace_id = kept()
    assert f'href="http://jaeger:16686/trace/{trace_id}"' in show(viewer, trace_id)
    assert f'href="http://jaeger:16686/trace/{UNKNOWN}"' in show(viewer, UNKNOWN, status=404)

    settings.TRACING = replace(settings.TRACING, store=None)
    page = show(viewer, UNKNOWN)
    assert f'href="http://jaeger:16686/trace/{UNKNOWN}"' in page
    assert "local_store: {enabled: true}" in page


def test_what_is_not_kept_is_said(viewer: Client) -> None:
    assert "is not kept here" in show(viewer, UNKNOWN.upper(), status=404)
    show(viewer, "nonsense", status=404)


def test_a_store_that_cannot_be_read_is_said(viewer: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise OperationalError("disk I/O error")

    monkeypatch.setattr("mizuchi_site.desk.waterfall.load_shown", broken)
    page = show(viewer, UNKNOWN, status=503)
    assert "cannot be read" in page
    assert "disk" not in page


def test_who_may_not_see_traces_is_refused(client: Client) -> None:
    client.force_login(User.objects.create_user("nina", password="x" * 20, is_staff=True))
    show(client, kept(), status=403)
