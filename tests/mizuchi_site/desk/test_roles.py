"""The roles that migrations make, and what each shows."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client

pytestmark = pytest.mark.django_db

ROLES = ("viewer", "operator", "admin")
TABLE = Path(__file__).resolve().parents[3] / "docs" / "admin.md"


def rights_of(role: str) -> set[str]:
    permissions = Group.objects.get(name=role).permissions.select_related("content_type")
    return {f"{each.content_type.app_label}.{each.codename}" for each in permissions}


def member(role: str) -> User:
    user = User.objects.create_user(f"{role}-user", password="x" * 20, is_staff=True)
    user.groups.add(Group.objects.get(name=role))
    return user


def menu(client: Client) -> list[str]:
    page = client.get("/admin/password_change/").content.decode()
    opened = page[page.index("desk-menu-open") : page.index("</nav>")] if "desk-menu-open" in page else ""
    return re.findall(r"<a [^>]*>([^<]+)</a>", opened)


def documented() -> dict[str, set[str]]:
    """The rights of each role by the table of the documentation."""
    found: dict[str, set[str]] = {role: set() for role in ROLES}
    for line in TABLE.read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        right = re.search(r"`([a-z_]+\.[a-z_]+)`", line)
        if line.startswith("|") and right and len(cells) == 5:
            for role, cell in zip(ROLES, cells[2:], strict=True):
                if cell == "yes":
                    found[role].add(right[1])
    return found


@pytest.mark.parametrize("role", ROLES)
def test_each_role_has_the_rights_of_its_column(role: str) -> None:
    assert rights_of(role) == documented()[role]


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
