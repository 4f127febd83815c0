"""Logins that fail too often pause, wherever a password is taken, and nothing of them is told."""

from __future__ import annotations

import base64
import logging
from datetime import timedelta
from typing import Any

import pytest
from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.contrib.auth.models import User
from django.core.management import call_command
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from mizuchi_site.login_pause import FAILURES, PAUSE

pytestmark = pytest.mark.django_db

NAME, PASSWORD, WRONG = "olga-of-the-desk", "a long enough password", "a-wrong-password"
ADDRESS = "198.51.100.7"


@pytest.fixture(autouse=True)
def olga() -> User:
    return User.objects.create_user(NAME, password=PASSWORD, is_staff=True, is_superuser=True)


def by_page(password: str, name: str = NAME, address: str = ADDRESS, **headers: str) -> HttpResponse:
    form = {"username": name, "password": password, "next": "/admin/"}
    answer: Any = Client().post("/admin/login/", form, REMOTE_ADDR=address, headers=headers)
    return answer


def by_token(password: str, name: str = NAME, address: str = ADDRESS) -> HttpResponse:
    body = {"username": name, "password": password}
    answer: Any = Client().post("/api/v1/token/", body, content_type="application/json", REMOTE_ADDR=address)
    return answer


def by_header(password: str, name: str = NAME, address: str = ADDRESS) -> HttpResponse:
    basic = base64.b64encode(f"{name}:{password}".encode()).decode()
    answer: Any = Client().get(
        "/health/tracing", headers={"Authorization": f"Basic {basic}"}, REMOTE_ADDR=address
    )
    return answer


WAYS = {"page": by_page, "token": by_token, "header": by_header}
LETS_IN = {"page": 302, "token": 200, "header": 200}
REFUSES = {"page": 200, "token": 401, "header": 403}


@pytest.mark.parametrize("way", WAYS)
def test_after_ten_failures_the_right_password_waits_too(way: str) -> None:
    first = [WAYS[way](WRONG).status_code for _ in range(FAILURES - 1)]
    paused = WAYS[way](WRONG)
    waiting = WAYS[way](PASSWORD)

    assert first == [REFUSES[way]] * (FAILURES - 1)
    for answer in (paused, waiting):
        assert answer.status_code == 429
        assert 0 < int(answer["Retry-After"]) <= PAUSE.total_seconds()
        assert "15 minutes" in answer.content.decode()
        assert NAME not in answer.content.decode()


def test_every_way_counts_and_every_way_is_closed() -> None:
    for number in range(FAILURES):
        list(WAYS.values())[number % 3](WRONG)

    assert [take(PASSWORD).status_code for take in WAYS.values()] == [429] * 3


def test_others_and_other_addresses_are_let_in() -> None:
    User.objects.create_user("oscar", password=PASSWORD, is_staff=True)
    for _ in range(FAILURES):
        by_page(WRONG)

    assert by_page(PASSWORD, name="oscar").status_code == 302
    assert by_page(PASSWORD, address="198.51.100.8").status_code == 302
    assert by_page(PASSWORD).status_code == 429


def test_another_browser_does_not_begin_anew() -> None:
    for number in range(FAILURES):
        by_page(WRONG, **{"User-Agent": f"browser {number}"})

    assert by_page(PASSWORD).status_code == 429


def test_the_pause_ends_and_tries_meanwhile_do_not_prolong_it() -> None:
    for _ in range(FAILURES + 3):
        by_page(WRONG)
    began = AccessAttempt.objects.get().attempt_time
    by_page(WRONG)
    assert AccessAttempt.objects.get().attempt_time == began

    AccessAttempt.objects.update(attempt_time=timezone.now() - PAUSE - timedelta(seconds=1))

    assert by_page(PASSWORD).status_code == 302


def test_a_login_that_succeeds_forgets_failures() -> None:
    for _ in range(FAILURES - 1):
        by_page(WRONG)
    assert by_page(PASSWORD).status_code == 302

    assert by_page(WRONG).status_code == 200
    assert by_page(PASSWORD).status_code == 302


def test_a_command_ends_it() -> None:
    for _ in range(FAILURES):
        by_page(WRONG)
    call_command("axes_reset_username", NAME)

    assert by_page(PASSWORD).status_code == 302


def test_what_is_kept_is_short_and_without_passwords() -> None:
    by_page(WRONG, name="x" * 149)
    by_header(WRONG, name="y" * 10_000 + "\0")
    AccessAttempt.objects.update(attempt_time=timezone.now() - PAUSE - timedelta(seconds=1))
    by_page(WRONG)

    (kept,) = AccessAttempt.objects.values()
    assert WRONG not in repr(kept)
    assert by_page(PASSWORD).status_code == 302
    assert not AccessLog.objects.exists()
    assert not AccessFailureLog.objects.exists()


def test_an_endless_name_is_cut() -> None:
    by_header(WRONG, name="y" * 10_000 + "\0")

    assert AccessAttempt.objects.get().username == "y" * 150


def test_the_log_tells_of_a_pause_and_not_of_whom(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    for take in (by_page, by_token, by_header):
        for _ in range(4):
            take(WRONG)

    assert caplog.text.count("logins are paused") == 1
    for secret in (NAME, WRONG, PASSWORD, ADDRESS):
        assert secret not in caplog.text


@pytest.mark.parametrize(
    ("peer", "forwarded", "counted"),
    [
        pytest.param("198.51.100.7", "203.0.113.9", "198.51.100.7", id="no-proxy"),
        pytest.param("10.0.0.1", "203.0.113.9", "203.0.113.9", id="proxy"),
        pytest.param("10.0.0.1", "192.0.2.1, 203.0.113.9, 10.0.0.2", "203.0.113.9", id="proxies"),
        pytest.param("10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3", id="proxies-only"),
        pytest.param("10.0.0.1", "203.0.113.9, nonsense", "10.0.0.1", id="nonsense"),
        pytest.param("10.0.0.1", "203.0.113.9:4711", "203.0.113.9", id="port"),
        pytest.param("10.0.0.1", "[2001:db8:0:1::9]:4711", "2001:db8:0:1::", id="ipv6-network"),
        pytest.param("10.0.0.1", None, "10.0.0.1", id="none"),
    ],
)
def test_whose_address_counts(peer: str, forwarded: str | None, counted: str, settings: Any) -> None:
    settings.SERVER = settings.SERVER.model_copy(update={"trusted_proxies": ("10.0.0.0/8",)})
    by_page(WRONG, address=peer, **({"X-Forwarded-For": forwarded} if forwarded else {}))

    assert AccessAttempt.objects.get().ip_address == counted
