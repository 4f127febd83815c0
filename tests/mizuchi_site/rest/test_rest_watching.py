"""Decisions, diagnoses and the audit log by REST: recent things, found by what one knows of them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.admin.models import ADDITION, CHANGE
from django.contrib.auth.models import User
from django.test import Client

from authz.credentials import create_access_key
from authz.models import PolicyDecision, SignatureDiagnosis
from mizuchi_site.audit_log import note_added, note_changed
from tests.mizuchi_site.members import client_of

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
ONE, OTHER = "0af7651916cd43dd8448eb211c80319c", "11111111111111111111111111111111"


def decision(request_id: str, **fields: Any) -> PolicyDecision:
    values = {"principal": "alice", "bucket": "uploads", "outcome": "deny", "engine": "opa"} | fields
    return PolicyDecision.objects.create(
        request_id=request_id,
        decided_at=NOW,
        action="s3:PutObject",
        operation="PutObject",
        key="a.txt",
        reason="denied",
        is_enforced=True,
        duration_ms=2.5,
        **values,
    )


def results(client: Client, path: str) -> list[dict[str, Any]]:
    answer = client.get(f"/api/v1/{path}")
    assert answer.status_code == 200, answer.content
    found: list[dict[str, Any]] = answer.json()["results"]
    return found


def test_decisions_are_found() -> None:
    decision(ONE)
    decision(OTHER, principal="bob", bucket="archive", outcome="error")
    client = client_of("viewer")

    assert [each["request_id"] for each in results(client, "decisions/")] == [OTHER, ONE]
    for query in ("outcome=error", "bucket=archive", "principal=bob", f"request_id={OTHER}"):
        assert [each["principal"] for each in results(client, f"decisions/?{query}")] == ["bob"]
    (one,) = results(client, f"decisions/?request_id={ONE}")
    assert (one["decided_at"], one["duration_ms"], one["is_enforced"]) == (
        "2026-11-25T12:00:00Z",
        2.5,
        True,
    )
    assert client.get("/api/v1/decisions/?outcome=perhaps").status_code == 400


def test_a_diagnosis_says_what_to_do() -> None:
    for request_id in (ONE, OTHER, ONE):
        SignatureDiagnosis.objects.create(
            diagnosed_at=NOW,
            request_id=request_id,
            access_key_id="AKALICE",
            causes=[{"kind": "host", "text": "the Host header was changed"}],
            canonical_request="PUT\n/xxx",
            string_to_sign="AWS4-HMAC-SHA256",
        )
    client = client_of("operator")

    assert [each["request_id"] for each in results(client, "diagnoses/")] == [ONE, OTHER, ONE]
    assert len(results(client, f"diagnoses/{ONE.upper()}/")) == 2
    (found,) = results(client, f"diagnoses/{OTHER}/")
    (cause,) = found["causes"]
    assert (cause["kind"], cause["text"]) == ("host", "the Host header was changed")
    assert "server.trusted_proxies" in cause["advice"]
    assert found["canonical_request"] == "PUT\n/xxx"
    assert client.get("/api/v1/diagnoses/nothing/").status_code == 404


def test_the_audit_log_tells_who_changed_what() -> None:
    client = client_of("admin")
    key, _ = create_access_key("alice")
    note_added(User.objects.get(username="admin-user"), key)
    note_changed(User.objects.create_user("olga"), key, ["is_enabled"])

    latest, first = results(client, "audit/")
    assert latest | {"id": 0, "at": ""} == {
        "id": 0,
        "at": "",
        "user": "olga",
        "action": "changed",
        "kind": "authz.accesskey",
        "object": str(key),
        "object_id": str(key.pk),
        "message": "Changed Is enabled.",
    }
    assert (first["user"], first["action"]) == ("admin-user", "added")
    assert [each["user"] for each in results(client, "audit/?user=olga")] == ["olga"]
    assert [each["user"] for each in results(client, "audit/?action=added")] == ["admin-user"]
    assert len(results(client, "audit/?kind=authz.accesskey")) == 2
    assert results(client, "audit/?kind=auth.user") == []
    assert (ADDITION, CHANGE) == (1, 2)
