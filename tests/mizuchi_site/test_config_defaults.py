"""What of a configuration differs from what would be without it."""

from __future__ import annotations

from pathlib import Path

import pytest

from mizuchi_site.config import load_config
from mizuchi_site.config.defaults import EffectiveValue, effective_values
from mizuchi_site.config.places import PROJECT_ROOT

CONFIG = """
server: {workers: 3, threads: 64}
database: {url: "postgres://mizuchi:hidden@db:5432/mizuchi"}
security: {secret_keys: ["correct-horse-battery-staple-0123456789"]}
storages:
  local: {backend: filesystem, location: var/objects}
  other: {backend: django.core.files.storage.FileSystemStorage, options: {location: /hidden}}
buckets:
  - {name: uploads, storage: local}
  - name: second
    storage: other
    limits: {max_parts: 7}
    auth: {jwt: {algorithms: [HS256], secret: "0123456789-hidden-0123456789-abcdef"}}
tracing: {resource: {team: storage}, otlp: {timeout_seconds: 3}}
"""


@pytest.fixture
def values(tmp_path: Path) -> dict[str, EffectiveValue]:
    file = tmp_path / "config.yaml"
    file.write_text(CONFIG)
    loaded = load_config(file, {"OTEL_SERVICE_NAME": "renamed", "MIZUCHI_VAR": str(tmp_path)})
    return {each.path: each for each in effective_values(loaded)}


def test_what_is_not_said_is_the_default() -> None:
    assert [each.path for each in effective_values(load_config(None, {})) if each.differs] == []


def test_the_example_differs_in_what_it_says_it_does() -> None:
    differing = [
        each.path
        for each in effective_values(load_config(PROJECT_ROOT / "config.example.yaml", {}))
        if each.differs
    ]

    assert {path.rpartition(".")[0] for path in differing} == {
        "storages.upstream",
        "storages.other",
        "storages.other.options",
    }


@pytest.mark.parametrize(
    ("path", "default"),
    [
        ("server.workers", 2),
        ("database.url", "sqlite:///var/mizuchi.sqlite3"),
        ("tracing.service_name", "mizuchi-uploadr"),
        ("buckets[1].limits.max_parts", 10_000),
        ("buckets[1].auth.jwt.secret", None),
    ],
)
def test_a_default_that_is_not_in_force(
    values: dict[str, EffectiveValue], path: str, default: object
) -> None:
    assert values[path].differs
    assert values[path].has_default
    assert values[path].default == default


@pytest.mark.parametrize(
    "path",
    [
        "security.secret_keys[0]",
        "tracing.resource.team",
        "storages.other.backend",
        "storages.other.options.location",
        "buckets[1].name",
        "buckets[1].auth.jwt.algorithms",
    ],
)
def test_what_has_no_default(values: dict[str, EffectiveValue], path: str) -> None:
    assert values[path].differs
    assert not values[path].has_default


@pytest.mark.parametrize(
    "path",
    [
        "server.threads",
        "tracing.otlp.timeout_seconds",
        "storages.other.staging",
        "storages.local.location",
        "buckets[0].name",
        "buckets[1].prefix",
        "buckets[1].limits.max_object_bytes",
        "buckets[1].auth.jwt.leeway_seconds",
    ],
)
def test_what_is_as_without_the_file(values: dict[str, EffectiveValue], path: str) -> None:
    assert not values[path].differs
    assert values[path].default == values[path].value


def test_sections_and_secrets(values: dict[str, EffectiveValue]) -> None:
    assert values["buckets[1].name"].section == "buckets"
    assert values["server.workers"].section == "server"
    assert values["tracing.service_name"].source == "environment (OTEL_SERVICE_NAME)"
    assert "hidden" not in repr(list(values.values()))
