"""The real gateway as a process of the tests: its configuration, its start, what its backends hold."""

from __future__ import annotations

import functools
import http.client
import json
import os
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.servers.process import free_ports, running_server
from tests.servers.seaweedfs import SeaweedFS

MANAGE = Path(__file__).resolve().parents[2] / "manage.py"
# Without the checks of the configuration, half of a start: the desk and the production shape are served with
# them, as users do.
SERVE = (sys.executable, str(MANAGE), "serve", "--skip-checks")
FILES = "files"
SEAWEED = "seaweed"
LIMITED = "limited"
DOMAIN = "s3.gateway.test"
TRUSTED_PROXY = "127.0.0.7"
LIMITS = {
    "max_object_bytes": 64 * 1024,
    "max_parts": 3,
    "content_types": ["text/plain", "image/*"],
    "key_pattern": "[a-z0-9/._-]+",
}


@dataclass(frozen=True, slots=True)
class Gateway:
    """A running gateway: ``files`` leads to a folder, ``seaweed`` to a bucket of a real S3 server.

    ``limited`` is a second folder, with limits; the neighbour, another principal, may not use it.
    """

    endpoint: str
    access_key_id: str
    secret_access_key: str
    neighbour_key_id: str
    neighbour_secret: str
    log: Path
    database: Path
    objects: Path
    upstream: SeaweedFS
    upstream_bucket: str

    def read(self, bucket: str, key: str) -> bytes:
        """An object's bytes as its backend holds them, read past the gateway."""
        if bucket == FILES:
            return (self.objects / FILES / key).read_bytes()
        return read_upstream(self.upstream, self.upstream_bucket, key)


@dataclass(frozen=True, slots=True)
class Site:
    """What the clients upload to; ``read(bucket, key)`` gives the bytes where they ended up."""

    endpoint: str
    access_key_id: str
    secret_access_key: str
    read: Callable[[str, str], bytes]


def read_upstream(server: SeaweedFS, bucket: str, key: str) -> bytes:
    content: bytes = server.client.get_object(Bucket=bucket, Key=key)["Body"].read()
    return content


@contextmanager
def running_gateway(
    folder: Path, upstream: SeaweedFS, sections: Mapping[str, Any] | None = None
) -> Iterator[Gateway]:
    """Serves with a database of its own until the block ends (SIGTERM). ``sections`` are more of the
    configuration; of ``server``, what they say is added. Raises ServerFailed."""
    (port,) = free_ports(1)
    gateway = Gateway(
        endpoint=f"http://127.0.0.1:{port}",
        access_key_id="AKENDTOEND",
        secret_access_key=secrets.token_hex(20),
        neighbour_key_id="AKNEIGHBOUR",
        neighbour_secret=secrets.token_hex(20),
        log=folder / "gateway.log",
        database=folder / "gateway.sqlite3",
        objects=folder / "objects",
        upstream=upstream,
        upstream_bucket=upstream.create_bucket("gateway"),
    )
    config = folder / "config.yaml"
    document, sections = configuration(gateway, port, folder), sections or {}
    server = {**document["server"], **sections.get("server", {})}
    config.write_text(json.dumps({**document, **sections, "server": server}))
    environment = {
        "DJANGO_SETTINGS_MODULE": "mizuchi_site.settings",
        "MIZUCHI_CONFIG": str(config),
        "MIZUCHI_VAR": str(folder / "var"),
    }
    gateway.database.write_bytes(migrated_sqlite())
    with running_server(
        SERVE,
        log=gateway.log,
        is_ready=lambda: is_ready(port),
        environment=environment,
    ):
        yield gateway


def configuration(gateway: Gateway, port: int, folder: Path) -> dict[str, Any]:
    """What config.yaml says (JSON is YAML)."""
    upstream = gateway.upstream
    return {
        "server": {
            "bind": f"127.0.0.1:{port}",
            "workers": 2,
            "threads": 8,
            "domain": DOMAIN,
            "trusted_proxies": [TRUSTED_PROXY],
        },
        "security": {"secret_keys": [secrets.token_hex(32)]},
        "database": {"url": f"sqlite:///{gateway.database}"},
        "storages": {
            "disk": {"backend": "filesystem", "location": str(gateway.objects)},
            "upstream": {
                "backend": "s3",
                "endpoint": upstream.endpoint,
                "region": upstream.region,
                "access_key": upstream.access_key,
                "secret_key": upstream.secret_key,
            },
        },
        "access_keys": [
            {
                "access_key_id": gateway.access_key_id,
                "secret_access_key": gateway.secret_access_key,
                "principal": "end-to-end",
                "buckets": ["*"],
            },
            {
                "access_key_id": gateway.neighbour_key_id,
                "secret_access_key": gateway.neighbour_secret,
                "principal": "neighbour",
                "buckets": [FILES, SEAWEED],
            },
        ],
        "buckets": [
            {"name": FILES, "storage": "disk"},
            {"name": LIMITED, "storage": "disk", "limits": LIMITS},
            {"name": SEAWEED, "storage": "upstream", "target": gateway.upstream_bucket},
        ],
    }


@functools.cache
def migrated_sqlite() -> bytes:
    """A database file as ``migrate`` leaves it: made once, as it takes longer than the start of a gateway."""
    with tempfile.TemporaryDirectory(prefix="mizuchi-migrated-") as folder:
        file = Path(folder) / "gateway.sqlite3"
        config = Path(folder) / "config.yaml"
        config.write_text(json.dumps({"database": {"url": f"sqlite:///{file}"}}))
        migrate(
            {
                "DJANGO_SETTINGS_MODULE": "mizuchi_site.settings",
                "MIZUCHI_CONFIG": str(config),
                "MIZUCHI_VAR": folder,
            }
        )
        return file.read_bytes()


def migrate(environment: Mapping[str, str]) -> None:
    ended = subprocess.run(
        [sys.executable, str(MANAGE), "migrate", "--no-input"],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr


def is_ready(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
