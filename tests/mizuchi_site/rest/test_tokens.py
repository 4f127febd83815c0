"""Tokens of operators."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group, User
from django.http import HttpResponse
from django.test import Client

pytestmark = pytest.mark.django_db

PASSWORD = "a long enough password"


@pytest.fixture
def operator() -> User:
    user = User.objects.create_user("olga", password=PASSWORD, is_staff=True)
    user.groups.add(Group.objects.get(name="operator"))
    return user


def login(client: Client, username: str = "olga", password: str = PASSWORD) -> HttpResponse:
    body = {"username": username, "password": password}
    answer: HttpResponse = client.post("/api/v1/token/", body, content_type="application/json")  # type: ignore[assignment]
    return answer


def schema_status(client: Client, token: str) -> int:
    return client.get("/api/v1/schema/", headers={"Authorization": f"Bearer {token}"}).status_code


def test_a_token_opens_the_api(client: Client, operator: User) -> None:
    tokens = login(client).json()  # type: ignore[attr-defined]
    assert schema_status(client, tokens["access"]) == 200
    body = {"refresh": tokens["refresh"]}
    renewed = client.post("/api/v1/token/refresh/", body, content_type="application/json").json()
    assert schema_status(client, renewed["access"]) == 200
    assert schema_status(client, tokens["refresh"]) == 401


def test_a_changed_password_ends_its_tokens(client: Client, operator: User) -> None:
    access = login(client).json()["access"]  # type: ignore[attr-defined]
    operator.set_password("another long password")
    operator.save()
    assert schema_status(client, access) == 401


def test_nobody_else_gets_one(client: Client, operator: User) -> None:
    assert login(client, password="wrong").status_code == 401
    User.objects.create_user("customer", password=PASSWORD)
    assert login(client, username="customer").status_code == 401


def test_who_may_not_see_a_thing_is_refused(client: Client) -> None:
    assert client.get("/api/v1/schema/").status_code == 401
    User.objects.create_user("nina", password=PASSWORD, is_staff=True)
    assert schema_status(client, login(client, username="nina").json()["access"]) == 403  # type: ignore[attr-defined]
