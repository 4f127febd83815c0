"""``manage.py check``: misconfiguration that the reader of config.yaml cannot see."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.core.checks import CheckMessage, run_checks
from pytest_django import Settings

from authz.config import BucketAuth
from mizuchi_site.config.places import PROJECT_ROOT
from uploads.config import DjangoStorageConfig
from uploads.throttle.rules import Rate, ThrottleConfig

FILES = "django.core.files.storage.FileSystemStorage"
OPTION = "a-secret-option"


class Refusing:
    """A storage that quotes what it does not like."""

    def __init__(self, **options: Any) -> None:
        raise ValueError(f"bad options: {options}")


def found() -> list[CheckMessage]:
    """Our own messages; every check is run as a command does it."""
    return [message for message in run_checks() if str(message.id).startswith("mizuchi.")]


def test_the_defaults_have_nothing_to_say() -> None:
    assert found() == []


@pytest.mark.parametrize("redis_url", [None, "redis://redis.example.org/0"])
def test_limits_that_each_worker_counts_for_itself(settings: Settings, redis_url: str | None) -> None:
    throttle = ThrottleConfig(Rate(concurrent_uploads=1), redis_url=redis_url)
    settings.UPLOADS = replace(settings.UPLOADS, throttle=throttle)
    assert [message.id for message in found()] == ([] if redis_url else ["mizuchi.W016"])


@pytest.mark.parametrize(
    ("backend", "said"),
    [
        ("storages.backends.nowhere.Storage", "No module named 'storages.backends.nowhere'"),
        ("django.core.files.storage.Nowhere", 'does not define a "Nowhere"'),
        (f"{__name__}.Refusing", "cannot be used: ValueError"),
        (FILES, "cannot be used: TypeError"),
    ],
    ids=["no-module", "no-class", "refuses", "unknown-option"],
)
def test_a_storage_class_that_cannot_be_used(
    backend: str, said: str, settings: Settings, tmp_path: Path
) -> None:
    storage = DjangoStorageConfig("other", backend, tmp_path, {"password": OPTION})
    settings.UPLOADS = replace(settings.UPLOADS, storages=(*settings.UPLOADS.storages, storage))

    (message,) = found()

    assert (message.id, message.is_serious()) == ("mizuchi.E001", True)
    assert message.msg.startswith("storages.other cannot be used: ")
    assert said in message.msg
    assert message.hint
    assert OPTION not in str(message)


def test_a_storage_class_that_can(settings: Settings, tmp_path: Path) -> None:
    storage = DjangoStorageConfig("other", FILES, tmp_path, {"location": str(tmp_path)})
    settings.UPLOADS = replace(settings.UPLOADS, storages=(storage,))

    assert found() == []


def test_a_bucket_for_anybody_is_a_warning(settings: Settings) -> None:
    rules = {"closed": BucketAuth(), "open": BucketAuth(anonymous=True)}
    settings.AUTHZ = replace(settings.AUTHZ, buckets=rules)

    (message,) = found()

    assert (message.id, message.is_serious()) == ("mizuchi.W001", False)
    assert "'open'" in message.msg
    assert "auth.anonymous" in str(message.hint)


@pytest.mark.parametrize(
    ("engine", "is_local", "ids"),
    [
        ("django.db.backends.postgresql", True, ["mizuchi.W002"]),
        ("django.db.backends.postgresql", False, []),
        ("django.db.backends.sqlite3", True, []),
    ],
    ids=["shared-database", "shared-secret", "one-machine"],
)
def test_a_shared_database_needs_a_shared_secret(
    engine: str, is_local: bool, ids: list[str], settings: Settings
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(settings.DATABASES["default"], "ENGINE", engine)
        settings.IS_SECRET_LOCAL = is_local

        assert [message.id for message in found()] == ids


@pytest.mark.parametrize(
    ("secret_keys", "is_local"), [("[]", True), (f"[{'0123456789' * 4}]", False)], ids=["file", "configured"]
)
def test_the_settings_know_where_the_secret_is(secret_keys: str, is_local: bool, tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(f"security: {{secret_keys: {secret_keys}}}")
    environ = {"MIZUCHI_VAR": str(tmp_path), "MIZUCHI_CONFIG": str(tmp_path / "config.yaml")}
    program = "from mizuchi_site import settings; print(settings.IS_SECRET_LOCAL)"

    ended = subprocess.run(
        [sys.executable, "-c", program],
        cwd=PROJECT_ROOT,
        env=os.environ | environ,
        capture_output=True,
        text=True,
        check=True,
    )

    assert ended.stdout.strip() == str(is_local)


def test_no_gateway_starts_on_a_storage_that_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(
        "storages: {other: {backend: nowhere.Storage}}\nbuckets: [{name: uploads, storage: other}]\n"
    )
    environ = {
        "DJANGO_SETTINGS_MODULE": "mizuchi_site.settings",
        "MIZUCHI_VAR": str(tmp_path),
        "MIZUCHI_CONFIG": str(tmp_path / "config.yaml"),
    }

    ended = subprocess.run(
        [sys.executable, "manage.py", "serve", "--bind", "127.0.0.1:1"],
        cwd=PROJECT_ROOT,
        env=os.environ | environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert ended.returncode == 1
    assert "(mizuchi.E001) storages.other cannot be used: No module named 'nowhere'." in ended.stderr
