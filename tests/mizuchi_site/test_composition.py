"""What the rooms are told."""

from __future__ import annotations

from pathlib import Path

import pytest

from authz.identity import BucketScope
from mizuchi_site.composition import authz_config, database, tracing_config, uploads_config
from mizuchi_site.config import Config, LoadedConfig, load_config
from mizuchi_site.keyring import Keyring
from uploads.config import DjangoStorageConfig, FilesystemStorageConfig, Limits, S3StorageConfig

KEYS = Keyring.derive(["m" * 32, "n" * 32])

TEXT = """
server: {domain: S3.Example.org, trusted_proxies: [10.0.0.0/8], body_stall_seconds: 7}
multipart: {expiry_hours: 2}
sts: {max_duration_seconds: 1800}
storages:
  files: {backend: filesystem, location: /srv/objects}
  aws: {backend: s3}
  up: {backend: s3, endpoint: "https://up.example", region: eu-west-1, addressing: virtual, access_key: AK,
       secret_key: SK, session_token: ST,
       connect_timeout_seconds: 1, read_timeout_seconds: 2, max_connections: 3}
  any: {backend: some.Storage, options: {bucket_name: b}, staging: /srv/staging}
access_keys:
  - {access_key_id: AK1, secret_access_key: 0123456789-abcdef, principal: ci}
  - {access_key_id: AK2, secret_access_key: 0123456789-ghijkl, principal: cd, buckets: [one]}
  - {access_key_id: AK3, secret_access_key: 0123456789-mnopqr, principal: cd, buckets: [one, "*"]}
buckets:
  - {name: one, storage: files, browser_upload: true}
  - name: two
    storage: up
    target: real
    prefix: in/
    limits: {max_object_bytes: 10, max_part_bytes: 5242880, max_parts: 3,
             content_types: [a/*], key_pattern: x+}
    auth: {sigv4: {enabled: false, max_clock_skew_seconds: 60}, anonymous: true}
"""


@pytest.fixture
def loaded(tmp_path: Path) -> LoadedConfig:
    file = tmp_path / "config.yaml"
    file.write_text(TEXT)
    return load_config(file, {})


@pytest.fixture
def config(loaded: LoadedConfig) -> Config:
    return loaded.config


def test_storages(config: Config) -> None:
    assert uploads_config(config, KEYS).storages == (
        FilesystemStorageConfig("files", Path("/srv/objects")),
        S3StorageConfig("aws"),
        S3StorageConfig(
            "up",
            endpoint="https://up.example",
            region="eu-west-1",
            addressing="virtual",
            access_key="AK",
            secret_key="SK",
            session_token="ST",
            connect_timeout_seconds=1,
            read_timeout_seconds=2,
            max_connections=3,
        ),
        DjangoStorageConfig("any", "some.Storage", Path("/srv/staging"), {"bucket_name": "b"}),
    )


def test_buckets(config: Config) -> None:
    one, two = uploads_config(config, KEYS).buckets
    assert (one.name, one.storage, one.target, one.prefix, one.limits) == (
        "one",
        "files",
        "one",
        "",
        Limits(),
    )
    assert (two.name, two.storage, two.target, two.prefix) == ("two", "up", "real", "in/")
    assert two.limits == Limits(10, 5242880, 3, ("a/*",), "x+")


def test_the_rest_of_uploads(config: Config) -> None:
    told = uploads_config(config, KEYS)
    assert told.domain == "s3.example.org"
    assert told.trusted_proxies == ("10.0.0.0/8",)
    assert told.body_stall_seconds == 7
    assert told.multipart_expiry_seconds == 7200
    assert told.sealing_keys == KEYS.sealing


def test_access_keys(config: Config) -> None:
    first, second, third = authz_config(config, KEYS).access_keys
    assert (first.access_key_id, first.principal, first.secret_access_key) == (
        "AK1",
        "ci",
        "0123456789-abcdef",
    )
    assert first.scope == BucketScope()
    assert second.scope == BucketScope(frozenset({"one"}))
    assert third.scope == BucketScope()


def test_auth_of_buckets(config: Config) -> None:
    told = authz_config(config, KEYS)
    one, two = told.buckets["one"], told.buckets["two"]
    assert (one.sigv4, one.max_clock_skew_seconds, one.anonymous) == (True, 900, False)
    assert (two.sigv4, two.max_clock_skew_seconds, two.anonymous) == (False, 60, True)
    assert (one.browser_upload, two.browser_upload) == (True, False)
    assert told.encryption_keys == KEYS.encryption
    assert (told.session_keys, told.max_session_seconds) == (KEYS.sessions, 1800)


def test_defaults_of_the_file_and_of_the_rooms_agree() -> None:
    config = load_config(None, {}).config
    assert uploads_config(config, KEYS).buckets[0].limits == Limits()


def test_the_built_in_bucket_is_open_for_uploads_in_the_browser() -> None:
    told = authz_config(load_config(None, {}).config, KEYS)
    assert told.buckets["uploads"].browser_upload


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("sqlite:///var/x.sqlite3", "/v/x.sqlite3"),
        ("sqlite:////srv/x.sqlite3", "/srv/x.sqlite3"),
        ("sqlite:////srv/a%20b", "/srv/a b"),
    ],
)
def test_sqlite_lets_many_workers_write(url: str, name: str, tmp_path: Path) -> None:
    settings = _database(url, tmp_path)
    assert settings["NAME"] == name
    assert settings["OPTIONS"]["transaction_mode"] == "IMMEDIATE"
    assert settings["OPTIONS"]["timeout"] == 20
    assert "journal_mode=WAL" in settings["OPTIONS"]["init_command"]


def test_postgresql_keeps_checked_connections(tmp_path: Path) -> None:
    settings = _database("postgres://u:p%40w@db:5433/name?sslmode=require", tmp_path)
    assert settings["ENGINE"] == "django.db.backends.postgresql"
    assert (settings["USER"], settings["PASSWORD"], settings["HOST"]) == ("u", "p@w", "db")
    assert (settings["CONN_MAX_AGE"], settings["CONN_HEALTH_CHECKS"]) == (600, True)
    assert settings["OPTIONS"] == {"sslmode": "require"}


def _database(url: str, folder: Path) -> dict:
    file = folder / "config.yaml"
    file.write_text(f"database: {{url: '{url}'}}")
    loaded = load_config(file, {"MIZUCHI_VAR": "/v"})
    return database(loaded.config, loaded.places)


ENDPOINT = "otlp: {endpoint: 'http://127.0.0.1:4317'}"


@pytest.mark.parametrize(
    ("tracing", "goes_to", "has_spool"),
    [
        ("", "nowhere", False),
        ("console: true", "console", False),
        (ENDPOINT, "collector", True),
        (f"console: true, {ENDPOINT}", "collector", True),
        ("enabled: false, console: true", "nowhere", False),
    ],
    ids=["neither", "console", "collector", "both", "off"],
)
def test_where_traces_go(tmp_path: Path, tracing: str, goes_to: str, has_spool: bool) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(f"tracing: {{{tracing}}}")
    loaded = load_config(file, {})
    export = tracing_config(loaded.config, loaded.places, KEYS).export
    found = "nowhere" if export is None else "console" if export.otlp is None else "collector"
    assert (found, bool(export and export.spool)) == (goes_to, has_spool)
