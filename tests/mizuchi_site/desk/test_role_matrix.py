"""Every address of the desk answers every role as the table of rights in ``docs/admin.md`` says.

The addresses are collected from the URL configuration: one without a row in ``RIGHTS`` fails.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from authz.credentials import create_access_key
from authz.models import PolicyDecision, SignatureDiagnosis
from tests.mizuchi_site.members import ROLES, client_of, documented_rights
from tests.tracing_app.store.recorded import Recorded
from uploads.models import UploadRecord, WebhookDelivery

pytestmark = pytest.mark.django_db(databases=["default", "traces"])

STAFF: Final = "staff status"
"""Who may log in may see it, whatever the role."""

NOBODY: Final = "nobody"

_SETTINGS: Final = "mizuchi_site.view_tracing_settings"
_CHANGE_SETTINGS: Final = "mizuchi_site.change_tracing_settings"
RIGHTS: Final = {
    "admin:index": STAFF,
    "admin:status": "mizuchi_site.view_status",
    "admin:uploads_uploadrecord_changelist": "uploads.view_uploadrecord",
    "admin:uploads_uploadrecord_change": "uploads.view_uploadrecord",
    "admin:uploads_in_flight": "uploads.view_uploadrecord",
    "admin:traces": "mizuchi_site.view_traces",
    "admin:trace": "mizuchi_site.view_traces",
    "admin:upload_page": "mizuchi_site.upload_in_browser",
    "admin:tracing_settings": _SETTINGS,
    "admin:tracing_settings POST": _CHANGE_SETTINGS,
    "admin:tracing_history": _SETTINGS,
    "admin:tracing_history POST": _CHANGE_SETTINGS,
    "admin:configuration": "mizuchi_site.view_configuration",
    "admin:buckets": "mizuchi_site.view_buckets",
    "admin:policy_test": "mizuchi_site.test_policy",
    "admin:policy_test POST": "mizuchi_site.test_policy",
    "admin:diagnoses": "mizuchi_site.view_diagnoses",
    "admin:audit": "mizuchi_site.view_audit",
    "admin:authz_accesskey_changelist": "authz.view_accesskey",
    "admin:authz_accesskey_add": "authz.add_accesskey",
    "admin:authz_accesskey_change": "authz.view_accesskey",
    "admin:authz_accesskey_history": "authz.view_accesskey",
    "admin:authz_accesskey_delete": "authz.delete_accesskey",
    "admin:authz_policydecision_changelist": "authz.view_policydecision",
    "admin:authz_policydecision_change": "authz.view_policydecision",
    "admin:authz_policydecision_history": "authz.view_policydecision",
    "admin:authz_policydecision_add": NOBODY,
    "admin:authz_policydecision_delete": NOBODY,
    "admin:uploads_webhookdelivery_changelist": "uploads.view_webhookdelivery",
    "admin:uploads_webhookdelivery_change": "uploads.view_webhookdelivery",
    "admin:uploads_webhookdelivery_history": "uploads.view_webhookdelivery",
    "admin:uploads_webhookdelivery_add": NOBODY,
    "admin:uploads_webhookdelivery_delete": NOBODY,
    "admin:auth_user_changelist": "auth.view_user",
    "admin:auth_user_add": "auth.add_user",
    "admin:auth_user_change": "auth.view_user",
    "admin:auth_user_history": "auth.view_user",
    "admin:auth_user_delete": "auth.delete_user",
    "admin:auth_user_password_change": "auth.change_user",
    "admin:auth_group_changelist": "auth.view_group",
    "admin:auth_group_change": "auth.view_group",
    "admin:auth_group_history": "auth.view_group",
    "admin:auth_group_add": NOBODY,
    "admin:auth_group_delete": NOBODY,
    "rest:schema": "mizuchi_site.view_status",
    "rest:docs": "mizuchi_site.view_status",
    "rest:status": "mizuchi_site.view_status",
    "rest:access-keys": "authz.view_accesskey",
    "rest:access-keys POST": "authz.add_accesskey",
    "rest:access-key": "authz.view_accesskey",
    "rest:access-key PATCH": "authz.change_accesskey",
    "rest:access-key DELETE": "authz.delete_accesskey",
    "rest:audit": "mizuchi_site.view_audit",
    "rest:browser-uploads POST": "mizuchi_site.upload_in_browser",
    "rest:buckets": "mizuchi_site.view_buckets",
    "rest:configuration": "mizuchi_site.view_configuration",
    "rest:decisions": "authz.view_policydecision",
    "rest:diagnoses": "mizuchi_site.view_diagnoses",
    "rest:request-diagnoses": "mizuchi_site.view_diagnoses",
    "rest:policy-test POST": "mizuchi_site.test_policy",
    "rest:uploads": "uploads.view_uploadrecord",
    "rest:upload": "uploads.view_uploadrecord",
    "rest:uploads-in-flight": "uploads.view_uploadrecord",
    "rest:webhook-deliveries": "uploads.view_webhookdelivery",
    "rest:webhook-delivery": "uploads.view_webhookdelivery",
    "rest:webhook-replay POST": "uploads.replay_webhookdelivery",
    "rest:webhook-replays POST": "uploads.replay_webhookdelivery",
    "rest:traces": "mizuchi_site.view_traces",
    "rest:trace-points": "mizuchi_site.view_traces",
    "rest:trace": "mizuchi_site.view_traces",
    "rest:trace-otlp": "mizuchi_site.view_traces",
    "rest:tracing-settings": _SETTINGS,
    "rest:tracing-settings PUT": _CHANGE_SETTINGS,
    "rest:tracing-settings PATCH": _CHANGE_SETTINGS,
    "rest:tracing-undo POST": _CHANGE_SETTINGS,
    "rest:tracing-revisions": _SETTINGS,
    "rest:tracing-restore POST": _CHANGE_SETTINGS,
    "rest:tracing-dry-run POST": _CHANGE_SETTINGS,
    "rest:tracing-test-span POST": _CHANGE_SETTINGS,
    "health/tracing": STAFF,
    "health/authz": STAFF,
}

NOT_PAGES: Final = {
    "admin:login": "where one logs in",
    "admin:logout": "takes a POST of who is logged in",
    "admin:password_change": "everybody's own",
    "admin:password_change_done": "everybody's own",
    "admin:jsi18n": "words for Django's scripts",
    "admin:autocomplete": "answers for fields, asks for the right of their model",
    "admin:view_on_site": "leads to pages that no model here has",
    "admin:app_list": "links that the menu has",
    "admin:": "leads on, to pages that ask for their right",
    "rest:token": "where one logs in",
    "rest:token-refresh": "where one stays logged in",
}

RIGHTS_OF: Final = documented_rights()


@dataclass(frozen=True, slots=True)
class Address:
    """``name`` is that of ``RIGHTS``, ``url_name`` the one that Django knows, or a path that has none."""

    url_name: str
    method: str
    arguments: tuple[str, ...]

    @property
    def name(self) -> str:
        return self.url_name if self.method == "GET" else f"{self.url_name} {self.method}"

    @property
    def is_page(self) -> bool:
        return self.url_name.startswith("admin:")


def collected(patterns: Any = None, names: tuple[str, ...] = ()) -> Iterator[Address]:
    """Each address and method of the URL configuration."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        if isinstance(pattern, URLResolver):
            inside = (*names, pattern.namespace) if pattern.namespace else names
            yield from collected(pattern.url_patterns, inside)
        else:
            yield from methods_of(pattern, ":".join((*names, pattern.name or "")) or str(pattern.pattern))


def methods_of(pattern: URLPattern, url_name: str) -> Iterator[Address]:
    """Views that are functions, which only Django's admin has, are pages to be got."""
    view = getattr(pattern.callback, "cls", None) or getattr(pattern.callback, "view_class", None)
    methods = [
        each for each in ("get", "post", "put", "patch", "delete") if view is None or hasattr(view, each)
    ]
    for method in methods[:1] if view is None else methods:
        yield Address(url_name, method.upper(), tuple(pattern.pattern.converters))


ADDRESSES: Final = [each for each in collected() if each.url_name not in NOT_PAGES]


@pytest.fixture
def objects() -> dict[str, Any]:
    """One of each kind, by the names that addresses have for them."""
    recorded = Recorded()
    trace_id = recorded.request("PutObject")
    recorded.save()
    now = datetime(2026, 11, 25, tzinfo=UTC)
    key, _ = create_access_key("alice")
    SignatureDiagnosis.objects.create(diagnosed_at=now, request_id=trace_id, causes=[])
    decision = PolicyDecision.objects.create(
        decided_at=now, request_id=trace_id, outcome="deny", is_enforced=True, duration_ms=1.0
    )
    upload = UploadRecord.objects.create(
        request_id=trace_id, bucket="uploads", key="a", principal="alice", started_at=now
    )
    delivery = WebhookDelivery.objects.create(
        payload="{}", state="DEAD", created_at=now, queued_at=now, due_at=now
    )
    user = User.objects.create_user("somebody")
    return {
        "trace_id": trace_id,
        "request_id": trace_id,
        "access_key_id": key.access_key_id,
        "id": user.pk,
        "pk": upload.pk,
        "number": 1,
        "delivery_id": delivery.pk,
        "uploads_webhookdelivery": delivery.pk,
        "authz_accesskey": key.pk,
        "authz_policydecision": decision.pk,
        "auth_user": user.pk,
        "auth_group": Group.objects.get(name="viewer").pk,
    }


def path_of(address: Address, objects: dict[str, Any]) -> str:
    if ":" not in address.url_name:
        return f"/{address.url_name}"
    model = address.url_name.partition(":")[2].rpartition("_")[0]
    values = {name: objects[model if name == "object_id" else name] for name in address.arguments}
    return reverse(address.url_name, kwargs=values)


def status(client: Client, address: Address, path: str) -> int:
    body = None if address.method == "GET" else json.dumps({})
    kind = "application/x-www-form-urlencoded" if address.is_page else "application/json"
    return client.generic(address.method, path, "" if address.is_page else body, kind).status_code


def may(role: str, right: str) -> bool:
    return right == STAFF or right in RIGHTS_OF.get(role, ())


def expected(address: Address, role: str) -> set[int]:
    """What may be answered. With the right, a body that says nothing is looked at and found wanting."""
    if not may(role, RIGHTS[address.name]):
        return {403}
    return {200} if address.method == "GET" else {200, 204, 302, 400, 404, 409, 503}


def test_every_address_has_its_row_and_every_row_its_address() -> None:
    assert {each.name for each in ADDRESSES} == set(RIGHTS)


@pytest.mark.parametrize(
    "address", [each for each in ADDRESSES if each.name in RIGHTS], ids=lambda each: each.name
)
def test_each_role_gets_what_its_column_says(address: Address, objects: dict[str, Any]) -> None:
    path = path_of(address, objects)
    answers = {role: status(client_of(role), address, path) for role in ("none", *ROLES)}

    wrong = {role: code for role, code in answers.items() if code not in expected(address, role)}
    assert wrong == {}
    anonymous = status(Client(), address, path)
    assert anonymous == (302 if address.is_page else 403 if path.startswith("/health/") else 401)


def test_an_address_leads_nobody_past_the_login() -> None:
    answer = Client().get(reverse("admin:buckets"))

    assert answer.headers["Location"] == f"{reverse('admin:login')}?next={reverse('admin:buckets')}"
