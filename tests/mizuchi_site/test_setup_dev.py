"""``manage.py setup_dev`` prepares a development system once and keeps it."""

from __future__ import annotations

import dataclasses
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from django.contrib.auth import authenticate, get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.management import call_command
from django.test import RequestFactory
from pytest_django import Settings

from authz.models import AccessKey
from mizuchi_site.config.sections import ServerSection
from mizuchi_site.management.commands.setup_dev import endpoint
from mizuchi_site.private_files import as_exports, read_exports, write_private
from tracing_app.config import StoreConfig

pytestmark = pytest.mark.django_db


@pytest.fixture
def var(tmp_path: Path, settings: Settings) -> Path:
    settings.VAR = tmp_path / "var"
    settings.STATIC_ROOT = settings.VAR / "static"
    return settings.VAR


def login(password: str) -> AbstractBaseUser | None:
    return authenticate(RequestFactory().post("/admin/login/"), username="admin", password=password)


def run(capsys: pytest.CaptureFixture[str]) -> str:
    call_command("setup_dev")
    return capsys.readouterr().out


def test_makes_an_admin_who_can_log_in(var: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "admin/  login admin with the password in" in run(capsys)
    file = var / "dev-admin.txt"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    user = login(file.read_text().strip())
    assert user is not None
    assert user.is_superuser


def test_makes_a_key_that_a_shell_can_read(var: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shown = run(capsys)
    file = var / "dev.env"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    script = f'. {file} && echo "$AWS_ACCESS_KEY_ID $AWS_SECRET_ACCESS_KEY $AWS_ENDPOINT_URL $AWS_REGION"'
    read = subprocess.run(
        ["sh", "-c", script], capture_output=True, text=True, check=True, env={}
    ).stdout.split()
    key = AccessKey.objects.get()
    assert (read[0], read[2], read[3]) == (key.access_key_id, "http://127.0.0.1:8080", "us-east-1")
    assert len(read[1]) == 40
    assert (key.principal, key.buckets) == ("dev", None)
    assert read[0] in shown
    assert read[1] not in shown


def test_tells_how_to_look_at_a_trace_where_traces_are_kept(
    var: Path, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.TRACING = dataclasses.replace(settings.TRACING, store=StoreConfig(10, 1))
    assert "python manage.py traces --last\n" in run(capsys)
    settings.TRACING = dataclasses.replace(settings.TRACING, store=None)
    assert "manage.py traces" not in run(capsys)


def test_the_readme_says_what_to_type_as_it_does(
    var: Path, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.TRACING = dataclasses.replace(settings.TRACING, store=StoreConfig(10, 1))
    told = run(capsys).replace(str(var), "var").replace(str(Path(sys.executable)), ".venv/bin/python")
    typed = re.findall(r"^  ((?:\. |\S+python )(?:.*\\\n)*.*)", told, re.MULTILINE)
    readme = (Path(__file__).parents[2] / "README.md").read_text()
    assert len(typed) == 3
    assert [command for command in typed if " ".join(command.split()) not in " ".join(readme.split())] == []


def test_running_it_again_changes_nothing(var: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def state() -> list[str]:
        return [(var / name).read_text() for name in ("dev.env", "dev-admin.txt")]

    run(capsys)
    before = state()
    run(capsys)
    assert state() == before
    assert AccessKey.objects.count() == 1


def test_a_new_database_gets_a_new_key_and_the_same_password(
    var: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(capsys)
    old_key, password = read_exports(var / "dev.env"), (var / "dev-admin.txt").read_text()
    AccessKey.objects.all().delete()
    get_user_model().objects.all().delete()
    run(capsys)
    new_key = read_exports(var / "dev.env")
    assert (
        new_key["AWS_ACCESS_KEY_ID"] == AccessKey.objects.get().access_key_id != old_key["AWS_ACCESS_KEY_ID"]
    )
    assert login(password.strip())


def test_an_admin_made_elsewhere_keeps_the_password(var: Path, capsys: pytest.CaptureFixture[str]) -> None:
    get_user_model().objects.create_superuser("admin", password="of their own")
    assert "login admin with the password you gave it" in run(capsys)
    assert login("of their own")
    assert not (var / "dev-admin.txt").exists()


@pytest.mark.parametrize(
    ("bind", "url"),
    [
        ("127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("0.0.0.0:80", "http://127.0.0.1:80"),
        ("[::]:80", "http://[::1]:80"),
        ("[::1]:80", "http://[::1]:80"),
        ("gateway.example:9000", "http://gateway.example:9000"),
    ],
)
def test_the_endpoint_is_one_that_this_machine_reaches(bind: str, url: str) -> None:
    assert endpoint(ServerSection(bind=bind)) == url


def test_exports_come_back(tmp_path: Path) -> None:
    variables = {"A": "plain", "B": 'it\'s $HOME "quoted" `x`', "C": ""}
    write_private(tmp_path / "env", as_exports(variables) + "# comment\n\nset -e\n")
    assert read_exports(tmp_path / "env") == variables
    assert read_exports(tmp_path / "nowhere") == {}
