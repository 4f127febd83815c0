"""Settings that keep doors closed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.http import HttpRequest
from django.test import Client
from rest_framework.response import Response
from rest_framework.test import APIRequestFactory
from rest_framework.views import APIView

from mizuchi_site.config.places import PROJECT_ROOT

SHOW = """
import json
from mizuchi_site import settings as s
print(json.dumps([s.SESSION_COOKIE_SECURE, s.CSRF_COOKIE_SECURE, hasattr(s, "SECURE_PROXY_SSL_HEADER"),
                  s.LOGGING["loggers"]["uploads"]["level"],
                  [s.SECRET_KEY, *s.SECRET_KEY_FALLBACKS], s.DEBUG]))
"""


def settings_of(folder: Path, text: str) -> list:
    (folder / "config.yaml").write_text(text)
    environ = os.environ | {"MIZUCHI_VAR": str(folder / "var"), "MIZUCHI_CONFIG": str(folder / "config.yaml")}
    command = [sys.executable, "-c", SHOW]
    ended = subprocess.run(command, cwd=PROJECT_ROOT, env=environ, capture_output=True, text=True, check=True)
    shown: list = json.loads(ended.stdout)
    return shown


@pytest.mark.parametrize(
    ("server", "is_secure", "believes_proxy"),
    [
        pytest.param("{}", False, False, id="defaults"),
        pytest.param("{bind: 'localhost:80'}", False, False, id="localhost"),
        pytest.param("{bind: '[::1]:80'}", False, False, id="loopback-v6"),
        pytest.param("{bind: '0.0.0.0:80'}", True, False, id="every-address"),
        pytest.param("{bind: 'gateway.example:80'}", True, False, id="a-name"),
        pytest.param("{trusted_proxies: [127.0.0.1]}", True, True, id="behind-a-proxy"),
    ],
)
def test_logins_need_https_except_on_this_machine(
    server: str, is_secure: bool, believes_proxy: bool, tmp_path: Path
) -> None:
    shown = settings_of(tmp_path, f"server: {server}")
    assert shown[:3] == [is_secure, is_secure, believes_proxy]


def test_secrets_rotate_and_a_configured_one_needs_no_file(tmp_path: Path) -> None:
    old, new = "an-old-master-secret-0123456789-abc", "a-new-master-secret-0123456789-abcd"
    before = settings_of(tmp_path, f"security: {{secret_keys: [{old}]}}")[4]
    after = settings_of(tmp_path, f"security: {{secret_keys: [{new}, {old}]}}")[4]
    assert len(after) == 2
    assert after[1:] == before
    assert after[0] != before[0]
    assert not (tmp_path / "var").exists()


def test_the_log_has_the_level_of_the_configuration(tmp_path: Path) -> None:
    shown = settings_of(tmp_path, "logging: {level: debug}")
    assert shown[3] == "DEBUG"
    assert shown[5] is False


def test_a_view_that_names_nobody_is_closed() -> None:
    class Forgetful(APIView):
        def get(self, request: HttpRequest) -> Response:
            return Response("open")

    assert Forgetful.as_view()(APIRequestFactory().get("/")).status_code == 403


@pytest.mark.django_db
def test_the_admin_asks_for_a_login_and_cannot_be_framed(client: Client) -> None:
    answer = client.get("/admin/login/", headers={"host": "localhost"})
    assert answer.status_code == 200
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert client.get("/admin/", headers={"host": "localhost"}).status_code == 302
    assert answer.cookies["csrftoken"]["samesite"] == "Strict"


@pytest.mark.django_db
def test_the_admin_answers_only_to_its_own_names(client: Client, settings) -> None:
    settings.ALLOWED_HOSTS = ["localhost"]
    assert client.get("/admin/login/", headers={"host": "evil.example"}).status_code == 400


def checked(folder: Path, text: str) -> str:
    """What ``manage.py check --deploy`` finds with a configuration."""
    (folder / "config.yaml").write_text(text)
    environ = os.environ | {
        "MIZUCHI_VAR": str(folder / "var"),
        "MIZUCHI_CONFIG": str(folder / "config.yaml"),
        "DJANGO_SETTINGS_MODULE": "mizuchi_site.settings",
    }
    command = [sys.executable, "manage.py", "check", "--deploy"]
    ended = subprocess.run(command, cwd=PROJECT_ROOT, env=environ, capture_output=True, text=True, check=True)
    return ended.stderr


@pytest.mark.parametrize(
    ("hsts", "warnings"),
    [
        pytest.param("{}", {"security.W004", "security.W008"}, id="without"),
        pytest.param("{seconds: 60}", {"security.W005"}, id="this-host-only"),
        pytest.param("{seconds: 60, include_subdomains: true}", set(), id="with-subdomains"),
    ],
)
def test_a_deployment_is_warned_of_pages_over_http(hsts: str, warnings: set[str], tmp_path: Path) -> None:
    server = "{bind: '0.0.0.0:80', allowed_hosts: [admin.example.org]}"
    secrets = "[an-old-master-secret-0123456789-abc]"
    said = checked(tmp_path, f"server: {server}\nsecurity: {{secret_keys: {secrets}, hsts: {hsts}}}")
    assert {word.strip("()") for word in said.split() if word.startswith("(security.")} == warnings
