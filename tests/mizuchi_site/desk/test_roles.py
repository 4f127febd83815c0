"""The roles that migrations make, and what each shows."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client

from tests.mizuchi_site.members import ROLES, documented_rights, member

pytestmark = pytest.mark.django_db


def rights_of(role: str) -> set[str]:
    permissions = Group.objects.get(name=role).permissions.select_related("content_type")
    return {f"{each.content_type.app_label}.{each.codename}" for each in permissions}


def menu(client: Client) -> list[str]:
    page = client.get("/admin/password_change/").content.decode()
    opened = page[page.index("desk-menu-open") : page.index("</nav>")] if "desk-menu-open" in page else ""
    return re.findall(r"<a [^>]*>([^<]+)</a>", opened)


@pytest.mark.parametrize("role", ROLES)
def test_each_role_has_the_rights_of_its_column(role: str) -> None:
    assert rights_of(role) == documented_rights()[role]


def test_each_role_has_all_rights_of_the_one_before() -> None:
    viewer, operator, admin = map(rights_of, ROLES)
    assert viewer < operator < admin


def test_the_menu_shows_what_one_may_see(client: Client) -> None:
    client.force_login(member("viewer"))
    seen = menu(client)
    assert "Uploads" in seen
    assert not {"Access keys", "Users"} & set(seen)
    client.force_login(member("admin"))
    assert {"Uploads", "Access keys", "Users", "Roles"} <= set(menu(client))


def test_staff_without_a_role_sees_nothing(client: Client) -> None:
    client.force_login(User.objects.create_user("nobody", password="x" * 20, is_staff=True))
    assert menu(client) == []
    assert client.get("/admin/").status_code == 200
