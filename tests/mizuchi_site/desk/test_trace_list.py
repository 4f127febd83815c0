"""The list of traces."""

from __future__ import annotations

import re
from dataclasses import replace
from urllib.parse import urlencode

import pytest
from django.conf import settings as configured
from django.contrib.auth.models import Group, User
from django.test import Client
from pytest_django import Settings

from mizuchi_site.desk.traces import PER_PAGE
from tests.tracing_app.store.recorded import Recorded
from tracing_app.exporting.config import ExportConfig, OtlpConfig
from tracing_app.redaction import upload_hash
from tracing_app.store.models import StoredTrace

pytestmark = pytest.mark.django_db(databases=["default", "traces"])

LIST = "/admin/traces/"


@pytest.fixture
def viewer(client: Client) -> Client:
    """Logged in with the role that may see least."""
    user = User.objects.create_user("vera", password="x" * 20, is_staff=True)
    user.groups.add(Group.objects.get(name="viewer"))
    client.force_login(user)
    return client


@pytest.fixture
def ids() -> dict[str, str]:
    recorded = Recorded()
    made = {
        "fine": recorded.request("PutObject"),
        "slow": recorded.request("PutObject", milliseconds=2500, at=1000),
        "denied": recorded.request("PutObject", "other", status=403, error="AccessDenied", at=2000),
        "failed": recorded.request("PutObject", status=503, error="ServiceUnavailable", at=3000),
        "part": recorded.request("UploadPart", upload=upload_hash("sealed"), at=4000),
    }
    recorded.save()
    return made


def listed(client: Client, **asked: object) -> list[str]:
    """The trace ids of a page, in order."""
    answer = client.get(LIST, asked)
    assert answer.status_code == 200
    return re.findall(r'<a href="/admin/traces/([0-9a-f]{32})/"', answer.content.decode())


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({}, ["part", "failed", "denied", "slow", "fine"]),
        ({"outcome": "failed"}, ["failed", "denied"]),
        ({"outcome": "error"}, ["failed"]),
        ({"outcome": "refused"}, ["denied"]),
        ({"slower_than_ms": "2000"}, ["slow"]),
        ({"error": "AccessDenied"}, ["denied"]),
        ({"status": "503"}, ["failed"]),
        ({"bucket": "other"}, ["denied"]),
        ({"operation": "UploadPart"}, ["part"]),
        ({"key_prefix": "in/"}, ["part", "failed", "denied", "slow", "fine"]),
        ({"key_prefix": "out/"}, []),
        ({"upload": "sealed"}, ["part"]),
        ({"upload": upload_hash("sealed")}, ["part"]),
        ({"reason": "head"}, ["part", "failed", "denied", "slow", "fine"]),
        ({"reason": "rule"}, []),
        ({"since": "2027-01-15T08:00:02", "until": "2027-01-15T08:00:03"}, ["denied"]),
        ({"since": "2027-01-15T08:00:03.5Z"}, ["part"]),
        ({"kind": "pages"}, []),
    ],
    ids=str,
)
def test_finding(viewer: Client, ids: dict[str, str], asked: dict[str, str], expected: list[str]) -> None:
    assert listed(viewer, **asked) == [ids[name] for name in expected]


def test_a_request_id_is_found_whatever_asked_for_it(viewer: Client, ids: dict[str, str]) -> None:
    StoredTrace.objects.filter(trace_id=ids["fine"]).update(name="GET /admin/auth/user/", operation="")
    assert ids["fine"] not in listed(viewer)
    assert listed(viewer, kind="pages") == listed(viewer, request_id=ids["fine"]) == [ids["fine"]]
    assert ids["fine"] in listed(viewer, kind="all")


def test_pages_follow_each_other_without_counting(viewer: Client) -> None:
    recorded = Recorded()
    made = [recorded.request("PutObject", at=number) for number in range(PER_PAGE + 3)]
    recorded.save()
    first = viewer.get(LIST, {"operation": "PutObject"}).content.decode()
    (older,) = re.findall(r'<a href="(\?[^"]+)" rel="next">', first)
    assert "operation=PutObject" in older
    second = viewer.get(LIST + older.replace("&amp;", "&")).content.decode()

    shown = [re.findall(r'/traces/([0-9a-f]{32})/" title', page) for page in (first, second)]
    assert shown == [made[:2:-1], made[2::-1]]
    assert 'rel="next"' not in second


@pytest.mark.parametrize(
    "asked",
    [
        {"request_id": "x"},
        {"slower_than_ms": "-1"},
        {"slower_than_ms": "nan"},
        {"status": "9"},
        {"outcome": "good"},
        {"since": "yesterday"},
        {"since": "0001-01-01T00:00:00+23:59"},
        {"bucket": "a\0b"},
        {"reason": "whim"},
    ],
    ids=str,
)
def test_what_cannot_be_is_said_at_its_field(viewer: Client, asked: dict[str, str]) -> None:
    answer = viewer.get(LIST, asked)
    (name,) = asked
    assert answer.status_code == 400
    assert f'id="id_{name}_error"' in answer.content.decode()


@pytest.mark.parametrize("before", ["x", "-1", "9" * 40])
def test_an_odd_page_is_the_first(viewer: Client, ids: dict[str, str], before: str) -> None:
    assert len(listed(viewer, before=before)) == len(ids)


def test_what_a_client_wrote_is_text(viewer: Client, ids: dict[str, str]) -> None:
    StoredTrace.objects.update(key="<script>alert(1)</script>", error="<i>")
    page = viewer.get(LIST, {"bucket": '"><script>'}).content.decode()
    page += viewer.get(LIST).content.decode()
    assert "<script>alert" not in page
    assert "<i>" not in page
    assert '"><script>' not in page


def test_without_a_store_the_page_says_how_to_have_one(viewer: Client, settings: Settings) -> None:
    collector = ExportConfig(otlp=OtlpConfig("http://collector:4317"))
    template = "https://jaeger.example:8443/trace/{trace_id}"
    settings.TRACING = replace(configured.TRACING, store=None, export=collector, ui_url=template)
    page = viewer.get(LIST).content.decode()
    assert "http://collector:4317" in page
    assert "local_store: {enabled: true}" in page
    assert 'href="https://jaeger.example:8443/"' in page
    request_id = "0af7651916cd43dd8448eb211c80319c"
    found = viewer.get(LIST, {"request_id": request_id}).content.decode()
    assert f'href="https://jaeger.example:8443/trace/{request_id}"' in found

    settings.TRACING = replace(configured.TRACING, store=None, export=None, is_enabled=False)
    assert "tracing.enabled: false" in viewer.get(LIST).content.decode()


def test_who_may_not_see_traces_is_refused(client: Client) -> None:
    client.force_login(User.objects.create_user("nina", password="x" * 20, is_staff=True))
    assert client.get(LIST).status_code == 403
    client.logout()
    answer = client.get(f"{LIST}?{urlencode({'bucket': 'a'})}")
    assert (answer.status_code, answer.headers["Location"][:13]) == (302, "/admin/login/")
