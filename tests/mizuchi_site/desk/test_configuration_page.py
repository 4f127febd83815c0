"""The page of the configuration and the same by REST: every value with its source, and never a secret."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from django.core.checks import CheckMessage, Error, register, registry
from django.test import Client
from pydantic import BaseModel, SecretStr

from mizuchi_site.config import Config, load_config
from mizuchi_site.config.explain import models_in
from tests.mizuchi_site.members import client_of

pytestmark = pytest.mark.django_db

PAGE, API = "/admin/configuration/", "/api/v1/configuration/"
SECRET = "planted-{}-0123456789-abcdefghij-ABCDEFGHIJ"
PLANTED = {
    "security.secret_keys": SECRET.format("master"),
    "database.url": f"postgres://mizuchi:{SECRET.format('database')}@db:5432/mizuchi?options={SECRET.format('query')}",
    "cache.url": f"redis://:{SECRET.format('cache')}@cache:6379/0",
    "storages.secret_key": SECRET.format("storage"),
    "storages.session_token": SECRET.format("session"),
    "access_keys.secret_access_key": SECRET.format("access"),
    "buckets.auth.jwt.secret": SECRET.format("jwt"),
    "buckets.authz.opa.token": SECRET.format("opa"),
    "buckets.authz.openfga.api_token": SECRET.format("openfga"),
    "buckets.webhooks.url": f"https://events.example.org/{SECRET.format('path')}",
    "buckets.webhooks.secrets": "whsec_" + "planted0" * 5,
    "tracing.otlp.headers": SECRET.format("header"),
    "metrics.token": SECRET.format("scrape"),
    "metrics.otlp.headers": SECRET.format("metrics"),
}


def secret_fields(model: type[BaseModel] = Config, above: str = "") -> Iterator[str]:
    """Where the model has secrets, in lists and mappings too."""
    for name, field in model.model_fields.items():
        if SecretStr in _kinds(field.annotation):
            yield above + name
        for below in models_in([field.annotation]):
            yield from secret_fields(below, f"{above}{name}.")


def _kinds(annotation: Any) -> Iterator[Any]:
    yield annotation
    for each in get_args(annotation):
        yield from _kinds(each)


def document() -> dict[str, Any]:
    """A configuration with a secret wherever there can be one."""
    opa = {"url": "http://127.0.0.1:8181", "token": PLANTED["buckets.authz.opa.token"]}
    openfga = {
        "url": "http://127.0.0.1:8080",
        "store_id": "01HVMMBCMGZNT3SED4Z17ECXCA",
        "api_token": PLANTED["buckets.authz.openfga.api_token"],
    }
    webhook = {
        "name": "indexer",
        "url": PLANTED["buckets.webhooks.url"],
        "secrets": [PLANTED["buckets.webhooks.secrets"]],
    }
    jwt = {"algorithms": ["HS256"], "secret": PLANTED["buckets.auth.jwt.secret"]}
    return {
        "security": {"secret_keys": [PLANTED["security.secret_keys"]]},
        "database": {"url": PLANTED["database.url"]},
        "cache": {"url": PLANTED["cache.url"]},
        "storages": {
            "upstream": {
                "backend": "s3",
                "access_key": "AKUPSTREAM",
                "secret_key": PLANTED["storages.secret_key"],
                "session_token": PLANTED["storages.session_token"],
            },
            "other": {
                "backend": "django.core.files.storage.FileSystemStorage",
                "options": {"location": SECRET.format("option"), "deep": {"er": [SECRET.format("deep")]}},
            },
        },
        "access_keys": [
            {
                "access_key_id": "AKEXAMPLE",
                "secret_access_key": PLANTED["access_keys.secret_access_key"],
                "principal": "robot",
            }
        ],
        "buckets": [
            {
                "name": "uploads",
                "storage": "upstream",
                "auth": {"jwt": jwt},
                "authz": {"opa": opa, "openfga": openfga},
                "webhooks": [webhook],
            }
        ],
        "tracing": {
            "otlp": {
                "endpoint": "http://127.0.0.1:4317",
                "headers": {"authorization": PLANTED["tracing.otlp.headers"]},
            }
        },
        "metrics": {
            "token": PLANTED["metrics.token"],
            "otlp": {"headers": {"authorization": PLANTED["metrics.otlp.headers"]}},
        },
        "server": {"workers": 3},
    }


@pytest.fixture
def configured(settings: Any, tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(yaml.safe_dump(document()))
    settings.CONFIGURATION = load_config(file, {"OTEL_SERVICE_NAME": "renamed", "MIZUCHI_VAR": str(tmp_path)})


def texts(client: Client, *addresses: str) -> str:
    answers = [client.get(address) for address in addresses]
    assert {answer.status_code for answer in answers} == {200}
    return "\n".join(html.unescape(answer.content.decode()) for answer in answers)


def test_a_secret_is_planted_wherever_there_can_be_one() -> None:
    assert set(secret_fields()) == set(PLANTED)


@pytest.mark.usefixtures("configured")
def test_no_page_shows_a_secret() -> None:
    found = texts(
        client_of("admin"),
        PAGE,
        f"{PAGE}?show=differing",
        API,
        "/admin/tracing/",
        "/api/v1/tracing/settings/",
    )

    assert "planted" not in found
    assert "AKUPSTREAM" in found
    assert "postgres://mizuchi:********@db:5432/mizuchi" in found
    assert "redis://:********@cache:6379/0" in found
    assert "tracing.otlp.headers.authorization" in found


@pytest.mark.usefixtures("configured")
def test_each_value_has_its_source_and_its_default() -> None:
    page = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", texts(client_of("operator"), PAGE)))

    assert "server.workers 3 default: 2 file" in page
    assert "server.threads 64 default" in page
    assert 'tracing.service_name "renamed" default: "mizuchi-uploadr" environment (OTEL_SERVICE_NAME)' in page
    assert "config.yaml" in page


@pytest.mark.usefixtures("configured")
def test_only_what_differs_on_request() -> None:
    page = texts(client_of("operator"), f"{PAGE}?show=differing")

    assert "server.workers" in page
    assert "server.threads" not in page


@pytest.mark.usefixtures("configured")
def test_the_same_by_rest() -> None:
    told = client_of("operator").get(API).json()

    values = {each["path"]: each for each in told["values"]}
    assert told["file"].endswith("config.yaml")
    assert values["server.workers"] == {
        "path": "server.workers",
        "value": 3,
        "source": "file",
        "default": 2,
        "has_default": True,
        "differs": True,
    }
    assert values["security.secret_keys[0]"]["value"] == "********"


def complaint(**kwargs: Any) -> list[CheckMessage]:
    return [Error("Something is wrong.", hint="Put it right.", id="tests.E001")]


@pytest.fixture
def complaining() -> Iterator[None]:
    register(complaint, deploy=True)
    yield
    registry.registry.deployment_checks.discard(complaint)


@pytest.mark.usefixtures("complaining")
def test_what_the_system_checks_say_the_gravest_first() -> None:
    operator = client_of("operator")

    first = operator.get(API).json()["checks"][0]
    assert first == {
        "id": "tests.E001",
        "level": "error",
        "message": "Something is wrong.",
        "hint": "Put it right.",
    }
    page = texts(operator, PAGE)
    assert "tests.E001" in page
    assert "Put it right." in page


def test_who_may_not_see_it() -> None:
    for role in ("viewer", "nobody"):
        client = client_of(role)
        assert client.get(PAGE).status_code == 403
        assert client.get(API).status_code == 403
    assert Client().get(API).status_code == 401
