"""Decisions of policies in the admin: found, read, and left as they are."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from authz.models import PolicyDecision
from tests.mizuchi_site.bucket_site import configured_buckets
from tests.mizuchi_site.members import client_of

pytestmark = pytest.mark.django_db

LIST = reverse("admin:authz_policydecision_changelist")
ONE, OTHER = "0af7651916cd43dd8448eb211c80319c", "11111111111111111111111111111111"


@pytest.fixture(autouse=True)
def decisions() -> list[PolicyDecision]:
    return [
        decided(ONE, principal="alice", outcome="deny", key="a/" + "x" * 100 + ".txt"),
        decided(OTHER, principal="bob", outcome="error", reason="timeout", bucket="other", is_enforced=False),
    ]


def decided(request_id: str, **fields: Any) -> PolicyDecision:
    values = {
        "decided_at": datetime(2026, 11, 25, 12, 0, 5, tzinfo=UTC),
        "action": "s3:PutObject",
        "operation": "UploadPart",
        "bucket": "guarded",
        "key": "a.txt",
        "engine": "opa",
        "reason": "denied",
        "is_enforced": True,
        "duration_ms": 2.25,
    }
    return PolicyDecision.objects.create(request_id=request_id, **(values | fields))


def shown(client: Client, query: str = "") -> list[str]:
    """The principals of the list, from the top."""
    page = client.get(f"{LIST}?{query}").content.decode()
    return re.findall(r'field-principal">([^<]+)<', page)


def test_the_newest_come_first_with_what_became_of_them() -> None:
    client = client_of("viewer")
    page = client.get(LIST).content.decode()

    assert shown(client) == ["bob", "alice"]
    for told in (
        "2026-11-25 12:00:05",
        "opa: timeout",
        "opa: denied",
        ">deny<",
        ">error<",
        ">shadow<",
        "2.2",
    ):
        assert told in page
    assert "guarded/…" + "x" * 35 + ".txt" in page


@pytest.mark.parametrize(
    ("query", "found"),
    [
        (f"q={ONE}", ["alice"]),
        (f"q={OTHER[:31]}", []),
        ("q=BO", ["bob"]),
        ("outcome__exact=deny", ["alice"]),
        ("bucket=guarded", ["alice"]),
        ("obeyed=no", ["bob"]),
    ],
)
def test_they_are_searched_and_filtered(query: str, found: list[str]) -> None:
    with configured_buckets():
        assert shown(client_of("viewer"), query) == found


def test_one_leads_to_its_trace_its_upload_and_the_question_anew(decisions: list[PolicyDecision]) -> None:
    path = reverse("admin:authz_policydecision_change", args=[decisions[0].pk])
    page = client_of("viewer").get(path).content.decode()

    assert f'href="{reverse("admin:trace", args=[ONE])}"' in page
    assert f'href="{reverse("admin:uploads_uploadrecord_changelist")}?request_id={ONE}"' in page
    assert "x" * 100 in page


def test_nobody_changes_them(decisions: list[PolicyDecision]) -> None:
    client = client_of("admin")

    assert client.get(reverse("admin:authz_policydecision_add")).status_code == 403
    path = reverse("admin:authz_policydecision_change", args=[decisions[0].pk])
    assert client.post(path, {"principal": "mallory"}).status_code == 403
    assert "delete_selected" not in client.get(LIST).content.decode()
