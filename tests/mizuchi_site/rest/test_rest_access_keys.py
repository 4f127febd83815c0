"""Access keys by REST: the secret once, every change in the audit log."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.utils import timezone

from authz.credentials import CredentialStore, create_access_key, secret_box
from authz.models import AccessKey
from tests.mizuchi_site.members import client_of

pytestmark = pytest.mark.django_db

KEYS = "/api/v1/access-keys/"


@pytest.fixture
def operator() -> Client:
    return client_of("operator")


def send(client: Client, method: str, path: str, body: Any = None) -> Any:
    return client.generic(method, path, json.dumps(body), content_type="application/json")


def log() -> list[tuple[str, int, str]]:
    """Username, action flag and message of each entry, the oldest first."""
    entries = LogEntry.objects.order_by("pk").select_related("user")
    return [(each.user.username, each.action_flag, each.get_change_message()) for each in entries]


def test_a_key_is_made_and_its_secret_told_once(operator: Client) -> None:
    wanted = {"principal": "camera", "buckets": ["uploads"], "note": "at the door"}
    answer = send(operator, "POST", KEYS, wanted)

    assert (answer.status_code, answer["Cache-Control"]) == (201, "no-store")
    made = answer.json()
    found = CredentialStore([], secret_box()).find(made["access_key_id"])
    assert found is not None
    assert (found.secret, found.principal) == (made["secret_access_key"], "camera")
    assert (made["state"], made["expires_at"], made["last_used_at"]) == ("usable", None, None)
    for path in (KEYS, f"{KEYS}{made['access_key_id']}/"):
        assert made["secret_access_key"] not in operator.get(path).content.decode()
    assert log() == [("operator-user", 1, "Added.")]
    assert made["secret_access_key"] not in repr(list(LogEntry.objects.values()))


@pytest.mark.parametrize(
    ("wanted", "fault"),
    [
        ({}, "principal"),
        ({"principal": "anonymous"}, "principal"),
        ({"principal": "jwt:somebody"}, "principal"),
        ({"principal": "camera", "buckets": ["nowhere"]}, "buckets"),
        ({"principal": "camera", "buckets": []}, "buckets"),
        ({"principal": "camera", "expires_at": "2001-01-01T00:00:00Z"}, "expires_at"),
        ({"principal": "camera", "expires_at": "soon"}, "expires_at"),
        ({"principal": "camera", "note": "x" * 256}, "note"),
        ([], "non_field_errors"),
    ],
)
def test_what_makes_no_sense_is_refused_by_field(operator: Client, wanted: Any, fault: str) -> None:
    answer = send(operator, "POST", KEYS, wanted)

    assert (answer.status_code, list(answer.json())) == (400, [fault])
    assert not AccessKey.objects.exists()
    assert log() == []


def test_a_key_is_disabled_limited_and_noted(operator: Client) -> None:
    key, _ = create_access_key("camera")
    path = f"{KEYS}{key.access_key_id}/"

    assert send(operator, "PATCH", path, {"is_enabled": False}).json()["state"] == "disabled"
    soon = (timezone.now() + timedelta(days=1)).isoformat()
    changed = send(
        operator, "PATCH", path, {"is_enabled": True, "expires_at": soon, "note": "n", "buckets": ["uploads"]}
    ).json()
    assert (changed["state"], changed["note"], changed["buckets"]) == ("usable", "n", ["uploads"])
    past = (timezone.now() - timedelta(seconds=1)).isoformat()
    assert send(operator, "PATCH", path, {"expires_at": past}).json()["state"] == "expired"
    assert (
        send(operator, "PATCH", path, {"expires_at": None, "principal": "mallory"}).json()
        | {
            "state": "usable",
            "principal": "camera",
        }
        == send(operator, "GET", path).json()
    )

    assert [message for _, _, message in log()] == [
        "Changed Is enabled.",
        "Changed Buckets, Is enabled, Expires at and Note.",
        "Changed Expires at.",
        "Changed Expires at.",
    ]


def test_what_changes_nothing_is_no_change(operator: Client) -> None:
    key, _ = create_access_key("camera", note="n")

    assert send(operator, "PATCH", f"{KEYS}{key.access_key_id}/", {"note": "n"}).status_code == 200
    assert log() == []


def test_a_change_keeps_what_was_written_meanwhile(operator: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    key, _ = create_access_key("camera")
    save = AccessKey.save

    def meanwhile(self: AccessKey, *args: Any, **kwargs: Any) -> None:
        AccessKey.objects.update(encrypted_secret="encrypted anew")
        save(self, *args, **kwargs)

    monkeypatch.setattr(AccessKey, "save", meanwhile)
    send(operator, "PATCH", f"{KEYS}{key.access_key_id}/", {"note": "n"})

    key.refresh_from_db()
    assert (key.encrypted_secret, key.note) == ("encrypted anew", "n")


def test_a_bucket_that_is_gone_may_stay(operator: Client) -> None:
    key, _ = create_access_key("camera", buckets=["gone"])
    path = f"{KEYS}{key.access_key_id}/"

    assert send(operator, "PATCH", path, {"buckets": ["gone", "uploads"]}).status_code == 200
    assert send(operator, "PATCH", path, {"buckets": ["uploads"]}).status_code == 200
    assert send(operator, "PATCH", path, {"buckets": ["gone"]}).status_code == 400


def test_admins_delete() -> None:
    key, _ = create_access_key("camera")
    path = f"{KEYS}{key.access_key_id}/"

    assert send(client_of("operator"), "DELETE", path).status_code == 403
    assert send(client_of("admin"), "DELETE", path).status_code == 204
    assert not AccessKey.objects.exists()
    assert log() == [("admin-user", 3, "")]


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
def test_a_key_that_is_not_there(method: str) -> None:
    assert send(client_of("admin"), method, f"{KEYS}AKNOWHERE/", {}).status_code == 404


def test_the_list_is_searched_filtered_and_paged(operator: Client) -> None:
    made = [create_access_key(f"camera-{number}")[0].access_key_id for number in range(3)]
    create_access_key("late", expires_at=timezone.now() - timedelta(seconds=1))
    off, _ = create_access_key("off", note="of the camera that was stolen")
    AccessKey.objects.filter(pk=off.pk).update(is_enabled=False)

    def listed(query: str) -> list[str]:
        return [each["principal"] for each in operator.get(f"{KEYS}?{query}").json()["results"]]

    assert listed("") == ["off", "late", "camera-2", "camera-1", "camera-0"]
    assert listed("search=camera&state=usable") == ["camera-2", "camera-1", "camera-0"]
    assert listed("search=stolen") == ["off"]
    assert listed(f"search={made[1].lower()}") == ["camera-1"]
    assert (listed("state=expired"), listed("state=disabled")) == (["late"], ["off"])
    first = operator.get(f"{KEYS}?limit=2&search=camera-").json()
    second = operator.get(first["next"]).json()
    assert [each["principal"] for each in first["results"] + second["results"]] == [
        "camera-2",
        "camera-1",
        "camera-0",
    ]
    assert second["next"] is None
    assert operator.get(f"{KEYS}?limit=0").status_code == 400
