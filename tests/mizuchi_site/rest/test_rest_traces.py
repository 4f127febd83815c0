"""Traces by the REST API."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from django.conf import settings as configured
from django.contrib.auth.models import Group, User
from django.db import OperationalError
from django.test import Client
from pytest_django import Settings

from tests.tracing_app.store.recorded import Recorded

pytestmark = pytest.mark.django_db(databases=["default", "traces"])

TRACES = "/api/v1/traces/"
POINTS = "/api/v1/traces/points/"


@pytest.fixture
def viewer(client: Client) -> Client:
    user = User.objects.create_user("vera", password="x" * 20, is_staff=True)
    user.groups.add(Group.objects.get(name="viewer"))
    client.force_login(user)
    return client


@pytest.fixture
def ids() -> dict[str, str]:
    recorded = Recorded()
    made = {
        "fine": recorded.request("PutObject"),
        "denied": recorded.request("PutObject", "other", status=403, error="AccessDenied", at=2000),
        "failed": recorded.request("PutObject", status=503, error="ServiceUnavailable", at=3000),
    }
    recorded.save()
    return made


def got(client: Client, path: str, **asked: Any) -> dict[str, Any]:
    answer = client.get(path, asked)
    assert answer.status_code == 200, answer.content
    found: dict[str, Any] = answer.json()
    return found


def test_requests_are_listed_newest_first(viewer: Client, ids: dict[str, str]) -> None:
    page = got(viewer, TRACES)
    assert [each["trace_id"] for each in page["results"]] == [ids["failed"], ids["denied"], ids["fine"]]
    assert page["next"] is None
    newest = page["results"][0]
    assert newest["outcome"] == "error"
    assert newest["error"] == "ServiceUnavailable"
    assert newest["started_at"] == "2027-01-15T08:00:03Z"
    assert newest["duration_ms"] == 10
    assert newest["span_count"] == 2


def test_the_filters_are_those_of_the_page(viewer: Client, ids: dict[str, str]) -> None:
    for path, listed in ((TRACES, "results"), (POINTS, "points")):
        found = got(viewer, path, outcome="failed", bucket="other")[listed]
        assert [each["trace_id"] for each in found] == [ids["denied"]]


def test_pages_follow_each_other(viewer: Client, ids: dict[str, str]) -> None:
    seen, path = [], f"{TRACES}?limit=1&kind=s3"
    while path:
        page = got(viewer, path)
        seen += [each["trace_id"] for each in page["results"]]
        path = page["next"]
    assert seen == [ids["failed"], ids["denied"], ids["fine"]]


def test_points_are_the_newest(viewer: Client, ids: dict[str, str]) -> None:
    found = got(viewer, POINTS, limit=2)
    assert [(each["trace_id"], each["outcome"]) for each in found["points"]] == [
        (ids["failed"], "error"),
        (ids["denied"], "refused"),
    ]
    assert not found["is_complete"]
    assert got(viewer, POINTS)["is_complete"]


@pytest.mark.parametrize("path", [TRACES, POINTS])
@pytest.mark.parametrize(
    "asked",
    [{"status": "x"}, {"limit": 0}, {"limit": 10_000}, {"since": "x"}, {"request_id": "z" * 32}],
    ids=str,
)
def test_what_cannot_be_is_named(viewer: Client, path: str, asked: dict[str, Any]) -> None:
    answer = viewer.get(path, asked)
    assert answer.status_code == 400
    assert list(answer.json()) == list(asked)


def test_the_spans_of_a_trace(viewer: Client, ids: dict[str, str]) -> None:
    found = got(viewer, f"{TRACES}{ids['failed'].upper()}/")
    assert found["trace_id"] == ids["failed"]
    assert found["started_at"] == "2027-01-15T08:00:03Z"
    assert sum(found["waits"].values()) == found["duration_ms"] == 10
    root, work = found["spans"]
    assert (root["depth"], root["parent_span_id"], root["waits"]) == (0, None, found["waits"])
    assert (work["depth"], work["parent_span_id"], work["waits"]) == (1, root["span_id"], None)
    assert (work["offset_ms"], work["duration_ms"], work["self_ms"], work["critical_ms"]) == (2, 8, 8, 8)
    assert (work["is_error"], work["attributes"]["error.type"]) == (True, "ServiceUnavailable")
    assert work["events"] == [{"name": "body.verified", "offset_ms": 3, "attributes": {}}]
    assert found["ui_url"] is None


def test_a_trace_as_otlp(viewer: Client, ids: dict[str, str]) -> None:
    document = got(viewer, f"{TRACES}{ids['fine']}/otlp/")
    spans = document["resourceSpans"][0]["scopeSpans"][0]["spans"]
    assert {span["traceId"] for span in spans} == {ids["fine"]}
    assert len(spans) == 2


@pytest.mark.parametrize("trace_id", ["e" * 32, "nonsense", "e" * 31, "\u0661" * 32])
def test_what_is_not_kept_is_not_found(viewer: Client, trace_id: str) -> None:
    for path in (f"{TRACES}{trace_id}/", f"{TRACES}{trace_id}/otlp/"):
        answer = viewer.get(path)
        assert answer.status_code == 404
        assert answer.json()["detail"]


def test_without_a_store_there_is_nothing(viewer: Client, settings: Settings) -> None:
    settings.TRACING = replace(configured.TRACING, store=None)
    for path in (TRACES, POINTS, f"{TRACES}{'e' * 32}/", f"{TRACES}{'e' * 32}/otlp/"):
        answer = viewer.get(path)
        assert answer.status_code == 404
        assert "tracing.local_store" in answer.json()["detail"]


def test_a_store_that_cannot_be_read_is_said(viewer: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise OperationalError("disk I/O error")

    monkeypatch.setattr("mizuchi_site.rest.traces.find_traces", broken)
    answer = viewer.get(TRACES)
    assert answer.status_code == 503
    assert "disk" not in answer.json()["detail"]


def test_who_may_not_see_traces_is_refused(client: Client) -> None:
    assert client.get(TRACES).status_code == 401
    client.force_login(User.objects.create_user("nina", password="x" * 20, is_staff=True))
    assert client.get(TRACES).status_code == client.get(POINTS).status_code == 403
