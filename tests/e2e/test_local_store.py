"""Traces without a collector: a gateway as ``make run`` sets it up, and ``manage.py traces`` beside it.

The store is a SQLite file of its own, as by default, or in the main database, which is PostgreSQL.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from mizuchi_site.private_files import read_exports
from tests.e2e.gateway import MANAGE, is_ready
from tests.e2e.traced import request_id
from tests.servers.postgres import Postgres
from tests.servers.process import free_ports, running_server

pytestmark = pytest.mark.slow

BUCKET = "uploads"
NO_RECORDS = """
from django.db import connection
connection.cursor().execute("ALTER TABLE uploads_uploadrecord RENAME TO away")
"""


@dataclass(frozen=True, slots=True)
class Site:
    url: str
    var: Path
    environment: dict[str, str]

    def client(self, secret: str | None = None) -> Any:
        key = read_exports(self.var / "dev.env")
        return boto3.client(
            "s3",
            endpoint_url=self.url,
            aws_access_key_id=key["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=secret or key["AWS_SECRET_ACCESS_KEY"],
            region_name="us-east-1",
            config=Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}),
        )

    def manage(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, MANAGE, *arguments],
            env=os.environ | self.environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def listed(self, *arguments: str) -> list[list[str]]:
        """The lines of ``manage.py traces`` as words; the last one is the request id."""
        return [line.split() for line in self.manage("traces", *arguments).stdout.splitlines()]


@pytest.fixture(scope="module", params=["a file", "the main database"])
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("local-store")
    (port,) = free_ports(1)
    environment = {
        "DJANGO_SETTINGS_MODULE": "mizuchi_site.settings",
        "MIZUCHI_CONFIG": "",
        "MIZUCHI_VAR": str(folder / "var"),
    }
    if request.param == "the main database":
        postgres: Postgres = request.getfixturevalue("postgres")
        config = {
            "database": {"url": postgres.create_database()},
            "tracing": {"local_store": {"path": None}},
        }
        (folder / "config.yaml").write_text(json.dumps(config))
        environment["MIZUCHI_CONFIG"] = str(folder / "config.yaml")
    site = Site(f"http://127.0.0.1:{port}", folder / "var", environment)
    made = site.manage("setup_dev")
    assert made.returncode == 0, made.stderr
    with running_server(
        [sys.executable, MANAGE, "serve", "--bind", f"127.0.0.1:{port}"],
        log=folder / "log",
        is_ready=lambda: is_ready(port),
        environment=environment,
    ):
        yield site


@dataclass(frozen=True, slots=True)
class Kept:
    """Request ids of an upload, of one that is refused and of one that fails on our side, and their list."""

    ids: dict[str, str]
    listed: list[list[str]]


@pytest.fixture(scope="module")
def kept(site: Site) -> Kept:
    made = {"stored": request_id(site.client().put_object(Bucket=BUCKET, Key="docs/one", Body=b"x" * 1000))}
    with pytest.raises(ClientError) as refused:
        site.client(secret="wrong").put_object(Bucket=BUCKET, Key="docs/two", Body=b"x")
    made["refused"] = request_id(refused.value.response)
    broken = site.manage("shell", "-v", "0", "-c", NO_RECORDS)
    assert broken.returncode == 0, broken.stderr
    with pytest.raises(ClientError) as failed:
        site.client().put_object(Bucket=BUCKET, Key="docs/three", Body=bytes(2 * 1024 * 1024))
    made["failed"] = request_id(failed.value.response)
    deadline = time.monotonic() + 20
    while len(listed := site.listed("--bucket", BUCKET, "--since", "1h")) < len(made):
        assert time.monotonic() < deadline, "the traces have not been stored"
    return Kept(made, listed)


def test_requests_are_listed_the_newest_first(kept: Kept) -> None:
    ids, listed = kept.ids, kept.listed
    assert [line[-1] for line in listed] == [ids["failed"], ids["refused"], ids["stored"]]
    ((stored),) = [line for line in listed if line[-1] == ids["stored"]]
    assert "200" in stored
    assert "PutObject" in stored
    assert any(word.startswith(f"{BUCKET}/docs/") for word in stored)


def test_faults_of_ours_and_refusals_are_told_apart(site: Site, kept: Kept) -> None:
    (failed,) = site.listed("--error")
    assert failed[-1] == kept.ids["failed"]
    assert {"503", "ServiceUnavailable"} <= {*failed}

    (refused,) = site.listed("--code", "SignatureDoesNotMatch")
    assert refused[-1] == kept.ids["refused"]
    assert "403" in refused


def test_a_request_id_shows_the_tree(site: Site, kept: Kept) -> None:
    shown = site.manage("traces", kept.ids["stored"]).stdout.splitlines()

    assert shown[0].startswith(f"trace {kept.ids['stored']}  ")
    assert re.fullmatch("waited for: client .+, backend .+, policy 0, gateway .+", shown[1])
    names = [line.partition("|")[0].rstrip() for line in shown[2:] if "|" in line]
    assert names == [
        "PUT s3.PutObject",
        "  auth.sigv4",
        "  upload.put_object",
        "    file.write",
    ]
    assert "status=200 client=Boto3" in shown[2]
    assert any("bytes=1000" in line for line in shown)
    assert any(". object.committed at " in line for line in shown)
