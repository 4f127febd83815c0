"""Access keys in the admin."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from authz.credentials import CredentialStore, create_access_key, secret_box
from authz.models import AccessKey

pytestmark = pytest.mark.django_db

LIST, ADD = reverse("admin:authz_accesskey_changelist"), reverse("admin:authz_accesskey_add")
NO_EXPIRY = {"expires_at_0": "", "expires_at_1": "", "note": "", "is_enabled": "on"}


def page_of(key: AccessKey) -> str:
    return reverse("admin:authz_accesskey_change", args=[key.pk])


def add(client: Client, **fields: object) -> str:
    """Adds a key and returns the page that is shown then."""
    answer = client.post(ADD, NO_EXPIRY | {"principal": "alice", "buckets": ["*"]} | fields, follow=True)
    return answer.content.decode()


def test_the_secret_is_shown_once_and_works(admin_client: Client) -> None:
    shown = re.findall("<code>([^<]+)</code>", add(admin_client))

    assert len(shown) == 2
    found = CredentialStore([], secret_box()).find(shown[0])
    assert found is not None
    assert (found.principal, found.secret) == ("alice", shown[1])
    pages = [LIST, page_of(AccessKey.objects.get()), reverse("admin:password_change")]
    assert not [page for page in pages if shown[1] in admin_client.get(page).content.decode()]


def test_the_secret_is_nowhere_in_the_database(admin_client: Client) -> None:
    secret = re.findall("<code>([^<]+)</code>", add(admin_client))[1]

    stored = [*AccessKey.objects.values_list(), *(s.get_decoded() for s in Session.objects.all())]

    assert len(stored) == 2
    assert secret not in repr(stored)


@pytest.mark.parametrize(
    ("chosen", "kept"),
    [(["*"], None), (["uploads"], ["uploads"]), (["*", "uploads"], None)],
    ids=["every", "one", "every-and-one"],
)
def test_buckets_are_chosen(admin_client: Client, chosen: list[str], kept: list[str] | None) -> None:
    add(admin_client, buckets=chosen)

    assert AccessKey.objects.get().buckets == kept


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"buckets": []}, "This field is required."),
        ({"buckets": ["elsewhere"]}, "Select a valid choice"),
        ({"principal": "anonymous"}, "is the name of callers without a key"),
        ({"principal": "jwt:x#y"}, "are those of callers with a token"),
        ({"principal": "user:anna"}, "are those of staff who upload in the browser"),
        ({"principal": "käse"}, "1 to 128 printable ASCII characters"),
        ({"principal": " "}, "This field is required."),
    ],
    ids=["no-bucket", "unknown-bucket", "anonymous", "like-a-token", "like-staff", "not-ascii", "blank"],
)
def test_what_makes_no_sense_is_refused(admin_client: Client, fields: dict[str, object], said: str) -> None:
    assert said in add(admin_client, **fields)
    assert not AccessKey.objects.exists()


def test_a_bucket_that_is_gone_stays_a_choice_of_its_keys(admin_client: Client) -> None:
    row, _ = create_access_key("alice", buckets=["gone"])

    assert 'value="gone"' in admin_client.get(page_of(row)).content.decode()
    admin_client.post(page_of(row), NO_EXPIRY | {"buckets": ["gone"], "note": "kept"})

    row.refresh_from_db()
    assert (row.buckets, row.note) == (["gone"], "kept")


def test_a_change_keeps_principal_secret_and_what_was_written_meanwhile(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    row, _ = create_access_key("alice")
    clean = AccessKey.full_clean

    def and_meanwhile(self: AccessKey, *args: object, **kwargs: object) -> None:
        AccessKey.objects.update(encrypted_secret="encrypted anew")
        clean(self, *args, **kwargs)

    monkeypatch.setattr(AccessKey, "full_clean", and_meanwhile)
    admin_client.post(page_of(row), NO_EXPIRY | {"buckets": ["uploads"], "principal": "mallory"})

    row.refresh_from_db()
    assert (row.principal, row.encrypted_secret, row.buckets) == ("alice", "encrypted anew", ["uploads"])


@pytest.mark.parametrize("action", ["disable", "enable"])
def test_actions_change_the_selected_keys_only(admin_client: Client, action: str) -> None:
    rows = [create_access_key("alice")[0] for _ in range(3)]
    AccessKey.objects.update(is_enabled=action == "disable")

    answer = admin_client.post(
        LIST, {"action": action, "_selected_action": [rows[0].pk, rows[2].pk]}, follow=True
    )

    assert f"Access keys {action}d: 2." in answer.content.decode()
    changed = set(AccessKey.objects.filter(is_enabled=action == "enable").values_list("pk", flat=True))
    assert changed == {rows[0].pk, rows[2].pk}


def states(client: Client, query: str = "") -> dict[str, str]:
    """What the list shows each principal's key to be."""
    page = client.get(f"{LIST}?{query}").content.decode()
    rows = re.findall(r"<tr>.*?</tr>", page, re.DOTALL)
    found = (re.findall(r'desk-tag \w+">([^<]+)<.*principal[^>]*>([a-z]+)<', row, re.DOTALL) for row in rows)
    return {principal: state for row in found for state, principal in row}


def make_some() -> None:
    now = timezone.now()
    create_access_key("fresh", buckets=["a", "b"])
    create_access_key("brief", expires_at=now + timedelta(days=6))
    create_access_key("expired", expires_at=now - timedelta(seconds=1))
    disabled, _ = create_access_key("disabled")
    AccessKey.objects.filter(pk=disabled.pk).update(is_enabled=False, last_used_at=now)


def test_the_list_tells_what_is_usable_and_where(admin_client: Client) -> None:
    make_some()
    page = admin_client.get(LIST).content.decode()

    assert states(admin_client) == {
        "fresh": "usable",
        "brief": "expires soon",
        "expired": "expired",
        "disabled": "disabled",
    }
    assert "a, b" in page
    assert "every bucket" in page


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("state=usable", {"fresh", "brief"}),
        ("state=expired", {"expired"}),
        ("state=disabled", {"disabled"}),
        ("state=never-used", {"fresh", "brief", "expired"}),
        ("q=bri", {"brief"}),
    ],
)
def test_the_list_is_filtered_and_searched(admin_client: Client, query: str, found: set[str]) -> None:
    make_some()

    assert set(states(admin_client, query)) == found


def test_every_change_is_in_the_audit_log(admin_client: Client) -> None:
    secret = re.findall("<code>([^<]+)</code>", add(admin_client))[1]
    key = AccessKey.objects.get()
    admin_client.post(page_of(key), NO_EXPIRY | {"buckets": ["uploads"], "note": "n"})
    for action in ("enable", "disable", "disable", "enable"):
        admin_client.post(LIST, {"action": action, "_selected_action": [key.pk]})
    admin_client.post(reverse("admin:authz_accesskey_delete", args=[key.pk]), {"post": "yes"})

    entries = LogEntry.objects.order_by("pk")
    assert [(each.user.username, each.get_change_message()) for each in entries] == [
        ("admin", "Added."),
        ("admin", "Changed Buckets and Note."),
        ("admin", "Changed Is enabled."),
        ("admin", "Changed Is enabled."),
        ("admin", ""),
    ]
    assert secret not in repr(list(entries.values()))


def test_who_may_only_look_sees_the_key_and_no_form(client: Client) -> None:
    row, _ = create_access_key("alice", buckets=["uploads"])
    looker = User.objects.create_user("looker", is_staff=True)
    looker.user_permissions.add(Permission.objects.get(codename="view_accesskey"))
    client.force_login(looker)

    page = client.get(page_of(row)).content.decode()

    assert row.access_key_id in page
    assert '<input type="checkbox"' not in page


def test_no_page_reads_the_encrypted_secret_back(admin_client: Client) -> None:
    row, _ = create_access_key("alice")

    for page in (LIST, page_of(row)):
        assert row.encrypted_secret not in admin_client.get(page).content.decode()
