"""The production shape without containers: nginx, two gateways, PostgreSQL, an S3 service, a collector.

The gateways run with deploy/config.yaml as it is; what differs here comes from variables, as it does there.
"""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import psycopg
from botocore.config import Config

from mizuchi_site.bench.postgres import Postgres
from mizuchi_site.bench.processes import children_of
from mizuchi_site.config.places import PROJECT_ROOT
from tests.e2e.gateway import MANAGE, is_ready
from tests.servers.otlp_receiver import OtlpReceiver, otlp_receiver
from tests.servers.postgres import running_postgres
from tests.servers.process import ServerFailed, free_ports, last_lines
from tests.servers.seaweedfs import SeaweedFS

from .front import Front, running_front

READY_SECONDS = 60
ADMIN_HOST = "admin.example.org"


@dataclass(slots=True)
class GatewayNode:
    """``manage.py serve`` with a var folder of its own."""

    folder: Path
    port: int
    environment: Mapping[str, str] = field(repr=False)
    process: subprocess.Popen[bytes] | None = None
    worker_pids: list[int] = field(default_factory=list)

    @property
    def log(self) -> Path:
        return self.folder / "log"

    def begin(self) -> None:
        """Start it; ``wait_until_ready`` comes later, so that two start at once."""
        self.folder.mkdir(parents=True)
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, str(MANAGE), "serve", "--bind", f"127.0.0.1:{self.port}"],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env={**os.environ, **self.environment, "MIZUCHI_VAR": str(self.folder / "var")},
            )

    def wait_until_ready(self) -> None:
        """Raises ServerFailed."""
        assert self.process is not None
        deadline = time.monotonic() + READY_SECONDS
        while not is_ready(self.port):
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise ServerFailed(f"the gateway is not ready:\n{last_lines(self.log)}")
            time.sleep(0.1)
        self.worker_pids = children_of(self.process.pid)

    def kill(self) -> None:
        """SIGKILL to all of it at once, as when a machine loses its power."""
        assert self.process is not None
        for pid in (*self.worker_pids, self.process.pid):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.kill()


@dataclass(frozen=True, slots=True)
class Shape:
    """All of it, and an access key of an operator's making."""

    front: Front
    nodes: tuple[GatewayNode, GatewayNode]
    postgres: Postgres
    database_url: str
    upstream: SeaweedFS
    upstream_bucket: str
    receiver: OtlpReceiver
    key: Mapping[str, str] = field(repr=False)

    def client(self) -> Any:
        """boto3 as its users have it: it repeats what failed on the other side."""
        return boto3.client(
            "s3",
            endpoint_url=self.front.endpoint,
            aws_access_key_id=self.key["access_key_id"],
            aws_secret_access_key=self.key["secret_access_key"],
            region_name="us-east-1",
            verify=str(self.front.certificate.certificate),
            config=Config(
                retries={"total_max_attempts": 12, "mode": "standard"},
                s3={"addressing_style": "path"},
                max_pool_connections=16,
            ),
        )

    def stored(self, key: str) -> bytes:
        """The object as the S3 service behind the gateways holds it."""
        answer = self.upstream.client.get_object(Bucket=self.upstream_bucket, Key=f"uploads/{key}")
        content: bytes = answer["Body"].read()
        return content

    def record(self, key: str) -> tuple[Any, ...]:
        """State, size and number of parts of its one record."""
        query = "SELECT state, size, parts FROM uploads_uploadrecord WHERE key = %s"
        with psycopg.connect(self.database_url) as connection:
            (record,) = connection.execute(query, (key,)).fetchall()
        return record

    def pids_of_trace(self, trace_id: str) -> set[int]:
        """The processes that have sent spans of it."""
        return {
            attribute.value.int_value
            for request in list(self.receiver.requests)
            for resource in request.resource_spans
            if any(s.trace_id.hex() == trace_id for scope in resource.scope_spans for s in scope.spans)
            for attribute in resource.resource.attributes
            if attribute.key == "process.pid"
        }


@contextmanager
def running_shape(folder: Path, upstream: SeaweedFS) -> Iterator[Shape]:
    """Raises ServerFailed."""
    with ExitStack() as running:
        postgres = running.enter_context(running_postgres())
        receiver = running.enter_context(otlp_receiver("grpc"))
        database_url, bucket = postgres.create_database(), upstream.create_bucket("production")
        environment = production_environment(
            MIZUCHI_DATABASE_URL=database_url,
            MIZUCHI_S3_ENDPOINT=upstream.endpoint,
            MIZUCHI_S3_BUCKET=bucket,
            MIZUCHI_S3_ACCESS_KEY=upstream.access_key,
            MIZUCHI_S3_SECRET_KEY=upstream.secret_key,
            MIZUCHI_OTLP_ENDPOINT=receiver.endpoint,
            MIZUCHI_VAR=str(folder / "var"),
        )
        managed(environment, "migrate", "--no-input")
        key = json.loads(managed(environment, "create_access_key", "--principal", "production", "--json"))
        first, second = (
            GatewayNode(folder / f"node-{number}", port, environment)
            for number, port in enumerate(free_ports(2), 1)
        )
        for node in (first, second):
            running.callback(node.stop)
            node.begin()
        for node in (first, second):
            node.wait_until_ready()
        front = running.enter_context(running_front(folder / "nginx", [first.port, second.port]))
        yield Shape(front, (first, second), postgres, database_url, upstream, bucket, receiver, key)


def production_environment(**values: str) -> dict[str, str]:
    """What deploy/config.yaml asks for, the policy engines out of reach; traces wait for no full batch."""
    return {
        "DJANGO_SETTINGS_MODULE": "mizuchi_site.settings",
        "MIZUCHI_CONFIG": str(PROJECT_ROOT / "deploy" / "config.yaml"),
        "MIZUCHI_S3_HOST": "s3.example.org",
        "MIZUCHI_ADMIN_HOST": ADMIN_HOST,
        "MIZUCHI_PROXY_NETWORK": "127.0.0.1/32",
        "MIZUCHI_SECRET_KEY": secrets.token_hex(32),
        "MIZUCHI_OPA_URL": "http://127.0.0.1:9",
        "MIZUCHI_OPENFGA_URL": "http://127.0.0.1:9",
        "MIZUCHI_OPENFGA_STORE_ID": "01HVMMBCMGZNT3SED4Z17ECXCA",
        "MIZUCHI_TRACES_URL": "https://traces.example.org",
        "MIZUCHI_METRICS_TOKEN": secrets.token_hex(16),
        "OTEL_BSP_SCHEDULE_DELAY": "200",
        **values,
    }


def managed(environment: Mapping[str, str], *command: str) -> str:
    """The output of a ``manage.py`` command, which must succeed."""
    ended = subprocess.run(
        [sys.executable, str(MANAGE), *command],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout
