"""Sessions of the desk end by themselves, and their cookies are nobody else's."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

pytestmark = pytest.mark.django_db

PASSWORD = "a long enough password"
IDLE = timedelta(hours=12)


@pytest.fixture
def olga() -> User:
    return User.objects.create_user("olga", password=PASSWORD, is_staff=True, is_superuser=True)


def logged_in() -> Client:
    client = Client()
    answer: Any = client.post("/admin/login/", {"username": "olga", "password": PASSWORD, "next": "/admin/"})
    assert answer.status_code == 302
    return client


def is_in(client: Client) -> bool:
    return client.get("/admin/password_change/").status_code == 200


def end_of(client: Client) -> datetime:
    return Session.objects.get(pk=client.cookies["sessionid"].value).expire_date


def make_older(client: Client, age: timedelta) -> None:
    """As if the last request had been so long ago."""
    session = client.session
    if "renewed_at" in session:
        session["renewed_at"] -= age.total_seconds()
        session.save()
    Session.objects.filter(pk=session.session_key).update(expire_date=timezone.now() + IDLE - age)


def test_the_cookie_is_of_this_browser_until_it_closes(olga: User) -> None:
    cookie = logged_in().cookies["sessionid"]

    assert (cookie["max-age"], cookie["expires"]) == ("", "")
    assert (cookie["httponly"], cookie["samesite"]) == (True, "Strict")


def test_half_a_day_without_a_page_ends_it(olga: User) -> None:
    client = logged_in()
    assert end_of(client) - timezone.now() == pytest.approx(IDLE, abs=timedelta(minutes=1))

    make_older(client, IDLE + timedelta(seconds=1))

    assert not is_in(client)


def test_pages_renew_it_now_and_then(olga: User) -> None:
    client = logged_in()
    assert is_in(client)
    make_older(client, timedelta(hours=11))
    assert is_in(client)
    end = end_of(client)
    assert end - timezone.now() > timedelta(hours=11, minutes=55)

    assert is_in(client)
    assert end_of(client) == end, "not every page is a write"


def test_a_page_that_refreshes_itself_is_nobody_at_work(olga: User) -> None:
    client = logged_in()
    assert is_in(client)
    make_older(client, timedelta(hours=11))

    assert client.get("/api/v1/schema/").status_code == 200

    assert end_of(client) - timezone.now() < timedelta(hours=2)


def test_a_changed_password_ends_the_other_sessions(olga: User) -> None:
    here, elsewhere = logged_in(), logged_in()
    new = "another long password"
    fields = {"old_password": PASSWORD, "new_password1": new, "new_password2": new}
    assert here.post("/admin/password_change/", fields).status_code == 302

    assert is_in(here)
    assert not is_in(elsewhere)


def test_no_session_is_made_for_who_is_not_logged_in(client: Client) -> None:
    client.get("/admin/login/")

    assert not Session.objects.exists()
