"""What a worker holds for its whole life: nothing heavy that its configuration does not call for."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mizuchi_site.config.places import PROJECT_ROOT

IMPORT = """
import importlib, json, sys
import mizuchi_site.server.worker
import mizuchi_site.wsgi
for name in sys.argv[1:]:
    importlib.import_module(name)
print(json.dumps(list(sys.modules)))
"""
FILES = {
    "storages": {"disk": {"backend": "filesystem", "location": "objects"}},
    "buckets": [{"name": "files", "storage": "disk"}],
    "tracing": {"otlp": {"endpoint": "http://127.0.0.1:1", "protocol": "http/protobuf"}},
}
UNUSED = {
    "_awscrt": "for CRC-32C and CRC-64/NVME: 5 MiB, by the first body that has one",
    "botocore": "for buckets of AWS and credentials that are not configured: 30 MiB with a client",
    "cryptography": "for keys in the database, sealed upload ids and sessions, tokens: 8 MiB, by the first",
    "django.contrib.postgres": "an extra of REST framework, which takes psycopg along",
    "django.test": "by simplejwt, for tokens: 3 MiB",
    "drf_spectacular.openapi": "for pages, whose URLs come with the first of them",
    "google.protobuf": "for what a collector complains of, and the store of traces: 3 MiB",
    "grpc": "for export over gRPC: 10 MiB",
    "markdown": "an extra of REST framework: 1 MiB",
    "mizuchi_site.urls": "pages: 10 MiB",
    "opentelemetry.instrumentation.django": "for pages: 2 MiB",
    "psycopg": "for PostgreSQL: 9 MiB",
    "pygments": "an extra of REST framework: 1 MiB",
    "redis": "for limits that workers and nodes share",
    "requests": "an extra of REST framework: 4 MiB",
    "whitenoise.middleware": "for pages",
    "rest_framework_simplejwt": "for buckets that take tokens",
}


S3 = {
    "backend": "s3",
    "endpoint": "http://127.0.0.1:1",
    "access_key": "AK",
    "secret_key": "a secret",
}


def modules_of_a_worker(folder: Path, *more: str, config: dict[str, Any] = FILES) -> set[str]:
    (folder / "config.yaml").write_text(json.dumps(config))
    environ = os.environ | {
        "DJANGO_SETTINGS_MODULE": "mizuchi_site.settings",
        "MIZUCHI_CONFIG": str(folder / "config.yaml"),
        "MIZUCHI_VAR": str(folder / "var"),
    }
    command = [sys.executable, "-c", IMPORT, *more]
    ended = subprocess.run(command, cwd=PROJECT_ROOT, env=environ, stdout=subprocess.PIPE, check=True)
    return set(json.loads(ended.stdout))


@pytest.fixture(scope="module")
def modules(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    return modules_of_a_worker(tmp_path_factory.mktemp("worker"))


@pytest.mark.parametrize("name", UNUSED)
def test_a_worker_does_not_import_what_it_does_not_need(name: str, modules: set[str]) -> None:
    assert name not in modules, UNUSED[name]


def test_what_rest_framework_did_not_get_is_there_for_others(tmp_path: Path) -> None:
    assert modules_of_a_worker(tmp_path, "requests", "pygments", "django.contrib.postgres.fields") >= {
        "requests",
        "pygments",
        "psycopg",
    }


def test_a_worker_before_an_s3_service_does_without_boto3(tmp_path: Path) -> None:
    modules = modules_of_a_worker(tmp_path, config={**FILES, "storages": {"disk": S3}})
    assert "uploads.backends.s3" in modules
    assert not modules & {"boto3", "botocore", "urllib3"}
