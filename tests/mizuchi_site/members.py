"""Users of the desk, by role."""

from __future__ import annotations

import re
from pathlib import Path

from django.contrib.auth.models import Group, User
from django.test import Client

ROLES = ("viewer", "operator", "admin")
TABLE = Path(__file__).resolve().parents[2] / "docs" / "admin.md"


def member(role: str) -> User:
    """Of the role of that name; any other name has staff status and no role."""
    user, is_new = User.objects.get_or_create(username=f"{role}-user", is_staff=True)
    if is_new and role in ROLES:
        user.groups.add(Group.objects.get(name=role))
    return user


def client_of(role: str) -> Client:
    """A browser where such a user is logged in."""
    client = Client()
    client.force_login(member(role))
    return client


def documented_rights() -> dict[str, set[str]]:
    """The rights of each role by the table of the documentation."""
    found: dict[str, set[str]] = {role: set() for role in ROLES}
    for line in TABLE.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        right = re.search(r"`([a-z_]+\.[a-z_]+)`", line)
        if line.startswith("|") and right and len(cells) == 2 + len(ROLES):
            for role, cell in zip(ROLES, cells[2:], strict=True):
                if cell == "yes":
                    found[role].add(right[1])
    return found
