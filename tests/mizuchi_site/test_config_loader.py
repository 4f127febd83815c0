"""Defaults, files and variables become one configuration that knows where each value came from."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from mizuchi_site.config import LoadedConfig, config_file, load_config
from mizuchi_site.config.places import PROJECT_ROOT
from mizuchi_site.config.render import MASK, as_json, as_lines

SECRETS = {
    "MASTER": "a-master-secret-of-32-characters-or-more",
    "KEY": "uploader-secret-0123456789",
    "DB": "postgres://mizuchi:db-password@db.example:5432/mizuchi?sslpassword=tls-password",
    "UPSTREAM": "upstream-secret-key",
    "SESSION": "upstream-session-token",
    "OPTION": "django-storage-option",
}

FULL = """
server: {bind: "${BIND:-0.0.0.0:80}", workers: "${WORKERS}", domain: "${DOMAIN:-}", threads: 8,
         trusted_proxies: [10.0.0.0/8, "${PROXY}"]}
security: {secret_keys: ["${MASTER}"]}
database: {url: "${DB}"}
storages:
  files: {backend: filesystem, location: data}
  up: {backend: s3, access_key: AK, secret_key: "${UPSTREAM}", session_token: "${SESSION}"}
  any: {backend: some.Storage, options: {token: "${OPTION}", nested: {list: ["${OPTION}"]}}}
access_keys: [{access_key_id: AK1, secret_access_key: "${KEY}", principal: ci, buckets: [pictures]}]
buckets:
  - {name: pictures, storage: files, auth: {anonymous: "${OPEN}"}, limits: {key_pattern: "[a-z]+$"}}
"""
ENVIRON = SECRETS | {"WORKERS": "4", "PROXY": "::1", "OPEN": "true"}


def load(folder: Path, text: str, **environ: str) -> LoadedConfig:
    file = folder / "config.yaml"
    file.write_text(text)
    return load_config(file, environ)


def test_without_a_file_there_is_a_development_system() -> None:
    loaded = load_config(None, {})
    assert list(loaded.config.storages) == ["local"]
    assert [bucket.name for bucket in loaded.config.buckets] == ["uploads"]
    assert set(loaded.sources.values()) == {"default"}


def test_an_empty_file_is_the_defaults(tmp_path: Path) -> None:
    assert load(tmp_path, "# nothing\n").config == load_config(None, {}).config


def test_numbers_flags_and_nothing_can_come_from_variables(tmp_path: Path) -> None:
    config = load(tmp_path, FULL, **ENVIRON).config
    assert config.server.workers == 4
    assert config.server.domain is None
    assert config.buckets[0].auth.anonymous is True
    assert config.server.trusted_proxies == ("10.0.0.0/8", "::1")


@pytest.mark.parametrize("numeral", ["", " 2", "2 ", "0x2", "2e0", "two", "1_0", "٢"])
def test_what_is_no_numeral_is_no_number(numeral: str, tmp_path: Path) -> None:
    with pytest.raises(Exception, match=r"server\.workers: must be a whole number"):
        load(tmp_path, "server: {workers: '${N-}'}", N=numeral)


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("server.bind", "environment (BIND)"),
        ("server.threads", "file"),
        ("server.max_connections", "default"),
        ("server.trusted_proxies", "environment (PROXY)"),
        ("security.secret_keys[0]", "environment (MASTER)"),
        ("storages.files.location", "file"),
        ("storages.any.options.token", "environment (OPTION)"),
        ("storages.any.options.nested.list", "environment (OPTION)"),
        ("storages.up.region", "default"),
        ("buckets[0].name", "file"),
        ("buckets[0].limits.key_pattern", "file"),
        ("buckets[0].limits.max_parts", "default"),
        ("buckets[0].target", "default"),
        ("multipart.expiry_hours", "default"),
    ],
)
def test_every_value_knows_its_source(path: str, source: str, tmp_path: Path) -> None:
    assert load(tmp_path, FULL, **ENVIRON).sources[path] == source


def test_secrets_are_not_shown_anywhere(tmp_path: Path) -> None:
    loaded = load(tmp_path, FULL, **ENVIRON)
    shown = "\n".join([*as_lines(loaded), as_json(loaded), repr(loaded), str(loaded.config)])
    hidden = [*(value for name, value in SECRETS.items() if name != "DB"), "db-password", "tls-password"]
    assert [secret for secret in hidden if secret in shown] == []


def test_every_leaf_is_a_line_with_its_source(tmp_path: Path) -> None:
    loaded = load(tmp_path, FULL, **ENVIRON)
    lines = as_lines(loaded)
    assert len(lines) == len(loaded.sources)
    assert "server.workers = 4  (environment (WORKERS))" in lines
    assert f'access_keys[0].secret_access_key = "{MASK}"  (environment (KEY))' in lines
    assert (
        f'database.url = "postgres://mizuchi:{MASK}@db.example:5432/mizuchi?{MASK}"  (environment (DB))'
        in lines
    )
    assert f'storages.files.location = "{PROJECT_ROOT / "data"}"  (file)' in lines


def test_json_has_every_leaf_too(tmp_path: Path) -> None:
    loaded = load(tmp_path, FULL, **ENVIRON)
    shown = json.loads(as_json(loaded))
    assert shown["file"] == str(tmp_path / "config.yaml")
    assert shown["values"].keys() == loaded.sources.keys()
    assert shown["values"]["server.workers"] == {"value": 4, "source": "environment (WORKERS)"}


@pytest.mark.parametrize(
    ("location", "var", "expected"),
    [
        ("/srv/objects", "", "/srv/objects"),
        ("data/objects", "/tmp/v", f"{PROJECT_ROOT}/data/objects"),
        ("var/objects", "", f"{PROJECT_ROOT}/var/objects"),
        ("var/objects", "/tmp/v", "/tmp/v/objects"),
        ("var/objects", "other", f"{PROJECT_ROOT}/other/objects"),
        ("various", "/tmp/v", f"{PROJECT_ROOT}/various"),
    ],
)
def test_relative_paths(location: str, var: str, expected: str, tmp_path: Path) -> None:
    text = f"storages: {{local: {{backend: filesystem, location: {location}}}}}"
    assert str(load(tmp_path, text, MIZUCHI_VAR=var).config.storages["local"].location) == expected


def test_staging_of_a_django_storage_follows_the_var_folder(tmp_path: Path) -> None:
    text = "storages: {local: {backend: some.Storage}}"
    storage = load(tmp_path, text, MIZUCHI_VAR=str(tmp_path)).config.storages["local"]
    assert storage.staging == tmp_path / "staging"


def test_a_configuration_is_frozen() -> None:
    config = load_config(None, {}).config
    with pytest.raises(ValidationError):
        config.server.workers = 3


@pytest.mark.parametrize(
    ("environ", "file"),
    [
        ({}, None),
        ({"MIZUCHI_CONFIG": ""}, None),
        ({"MIZUCHI_CONFIG": "/etc/mizuchi.yaml"}, Path("/etc/mizuchi.yaml")),
        ({"MIZUCHI_CONFIG": "config.yaml"}, PROJECT_ROOT / "config.yaml"),
    ],
)
def test_the_file_is_the_one_that_the_environment_names(environ: dict[str, str], file: Path | None) -> None:
    assert config_file(environ) == file
