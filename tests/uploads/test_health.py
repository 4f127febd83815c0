"""Readiness of the database and of each bucket's storage."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from django.db import DatabaseError

from authz.authentication import configured_authenticator
from tests.servers.otlp_receiver import refused_port
from tracing_app.health.base import Check
from uploads import health
from uploads.config import BucketConfig, FilesystemStorageConfig, UploadsConfig
from uploads.gateway import Gateway, build_gateway
from uploads.models import UploadRecord
from uploads.throttle.rules import Rate, ThrottleConfig
from uploads.throttle.throttle import build_throttle


@pytest.fixture
def gateway(tmp_path: Path) -> Gateway:
    (tmp_path / "file").touch()
    config = UploadsConfig(
        storages=(
            FilesystemStorageConfig("good", tmp_path / "good"),
            FilesystemStorageConfig("bad", tmp_path / "file" / "is-no-folder"),
        ),
        buckets=(BucketConfig("photos", "good", "photos"), BucketConfig("films", "bad", "films")),
        sealing_keys=(b"k" * 32,),
    )
    return build_gateway(config, configured_authenticator())


@pytest.fixture
def check_of(gateway: Gateway) -> Callable[[str], Check]:
    return {check.name: check for check in health.checks(gateway)}.__getitem__


def test_each_bucket_has_a_check_of_its_own(gateway: Gateway) -> None:
    names = [check.name for check in health.checks(gateway)]

    assert names == ["database", "storage:photos", "storage:films"]


def test_checks_are_those_of_the_gateway_and_not_of_the_settings(gateway: Gateway) -> None:
    checks = health.checks(replace(gateway, buckets={"photos": gateway.buckets["photos"]}))

    assert [check.name for check in checks] == ["database", "storage:photos"]


def test_where_limits_are_counted_is_not_vital(gateway: Gateway) -> None:
    with refused_port() as port:
        config = ThrottleConfig(Rate(concurrent_uploads=1), redis_url=f"redis://127.0.0.1:{port}/0")
        *_, check = health.checks(replace(gateway, throttle=build_throttle(config)))

        assert (check.name, check.run().status) == ("cache", "degraded")


def test_a_storage_that_works_tells_its_name(check_of: Callable[[str], Check]) -> None:
    health = check_of("storage:photos").run()

    assert (health.status, health.detail) == ("ok", "good")


def test_a_storage_that_does_not_is_vital(check_of: Callable[[str], Check]) -> None:
    assert check_of("storage:films").run().status == "failed"


@pytest.mark.django_db
def test_a_database_with_its_tables_is_ready(check_of: Callable[[str], Check]) -> None:
    health = check_of("database").run()

    assert (health.status, health.detail) == ("ok", "sqlite")


@pytest.mark.django_db
def test_a_database_without_its_tables_is_not(
    check_of: Callable[[str], Check], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(UploadRecord._meta, "db_table", "not_migrated")

    health = check_of("database").run()

    assert health.status == "failed"
    assert "no such table" in health.detail


def test_a_database_that_is_gone_is_not(
    check_of: Callable[[str], Check], monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*args: object) -> None:
        raise DatabaseError("server closed the connection")

    monkeypatch.setattr("django.db.models.query.QuerySet.exists", gone)

    assert check_of("database").run().status == "failed"
