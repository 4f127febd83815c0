"""The menu beside every page: what the user may see, in groups."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.http import HttpRequest
from django.urls import reverse


@dataclass(frozen=True, slots=True)
class Item:
    """``url_name`` within ``admin:``; shown to who has one of the permissions."""

    label: str
    url_name: str
    permissions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Link:
    label: str
    url: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class Group:
    label: str
    links: tuple[Link, ...]


_MENU: Final[Sequence[tuple[str, tuple[Item, ...]]]] = (
    (
        "Watch",
        (
            Item("Status", "status", ("mizuchi_site.view_status",)),
            Item("Uploads", "uploads_uploadrecord_changelist", ("uploads.view_uploadrecord",)),
            Item("In flight", "uploads_in_flight", ("uploads.view_uploadrecord",)),
            Item("Traces", "traces", ("mizuchi_site.view_traces",)),
            Item(
                "Webhook deliveries",
                "uploads_webhookdelivery_changelist",
                ("uploads.view_webhookdelivery",),
            ),
            Item("Upload files", "upload_page", ("mizuchi_site.upload_in_browser",)),
        ),
    ),
    (
        "Access",
        (
            Item(
                "Access keys",
                "authz_accesskey_changelist",
                ("authz.view_accesskey", "authz.change_accesskey"),
            ),
            Item("Buckets", "buckets", ("mizuchi_site.view_buckets",)),
            Item("Policy tester", "policy_test", ("mizuchi_site.test_policy",)),
            Item("Recent decisions", "authz_policydecision_changelist", ("authz.view_policydecision",)),
            Item("Signature doctor", "diagnoses", ("mizuchi_site.view_diagnoses",)),
        ),
    ),
    (
        "Settings",
        (
            Item("Tracing settings", "tracing_settings", ("mizuchi_site.view_tracing_settings",)),
            Item("Configuration", "configuration", ("mizuchi_site.view_configuration",)),
        ),
    ),
    (
        "Administration",
        (
            Item("Users", "auth_user_changelist", ("auth.view_user", "auth.change_user")),
            Item("Roles", "auth_group_changelist", ("auth.view_group", "auth.change_group")),
            Item("Audit log", "audit", ("mizuchi_site.view_audit",)),
        ),
    ),
)


def menu_for(request: HttpRequest) -> list[Group]:
    """The groups with at least one page that the user may see. Current is the page with the longest address
    that the request's begins with."""
    groups = []
    urls = {item.url_name: reverse(f"admin:{item.url_name}") for _, items in _MENU for item in items}
    current = max((url for url in urls.values() if request.path.startswith(url)), key=len, default="")
    if request.path == reverse("admin:index"):
        current = urls["status"]
    for label, items in _MENU:
        links = tuple(
            Link(item.label, urls[item.url_name], urls[item.url_name] == current)
            for item in items
            if any(request.user.has_perm(permission) for permission in item.permissions)
        )
        if links:
            groups.append(Group(label, links))
    return groups
