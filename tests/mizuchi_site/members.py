"""Users of the desk, by role."""

from __future__ import annotations

from django.contrib.auth.models import Group, User
from django.test import Client

ROLES = ("viewer", "operator", "admin")


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
