"""nginx as deploy/nginx/nginx.conf has it, with the ports and paths of a test."""

from __future__ import annotations

import json
import os
import socket
import ssl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mizuchi_site.bench.nginx import nginx_program
from mizuchi_site.config.places import PROJECT_ROOT
from tests.servers.certificates import Certificate, self_signed
from tests.servers.process import free_ports, running_server, unavailable

CONFIGURATION = PROJECT_ROOT / "deploy" / "nginx" / "nginx.conf"


@dataclass(frozen=True, slots=True)
class Front:
    """A running nginx; ``nodes`` are the ports of the gateways behind it."""

    port: int
    plain_port: int
    nodes: Sequence[int]
    certificate: Certificate
    access_log: Path

    @property
    def endpoint(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    @contextmanager
    def connected(self) -> Iterator[ssl.SSLSocket]:
        context = ssl.create_default_context(cafile=self.certificate.certificate)
        plain = socket.create_connection(("127.0.0.1", self.port), timeout=20)
        with context.wrap_socket(plain, server_hostname="127.0.0.1") as connection:
            yield connection

    def lines(self) -> list[dict[str, Any]]:
        """What it logged of requests, oldest first."""
        return [json.loads(line) for line in self.access_log.read_text().splitlines()]


@contextmanager
def running_front(folder: Path, nodes: Sequence[int]) -> Iterator[Front]:
    """Serve until the block ends; without nginx the test ends as unavailable."""
    program = nginx_program() or unavailable("nginx is not installed")
    folder.mkdir(parents=True)
    front = Front(*free_ports(2), nodes, self_signed(folder), folder / "access.log")
    (folder / "nginx.conf").write_text(rendered(front, folder))
    user = "user root; " if os.geteuid() == 0 else ""
    with running_server(
        [program, "-e", folder / "error.log", "-c", folder / "nginx.conf", "-g", f"{user}daemon off;"],
        log=folder / "log",
        is_ready=lambda: _listens(front.port),
    ):
        yield front


def rendered(front: Front, folder: Path) -> str:
    """The configuration with nothing changed but ports and paths."""
    first, second = front.nodes
    return _replaced(
        CONFIGURATION.read_text(),
        {
            "listen 443 ": f"listen 127.0.0.1:{front.port} ",
            "listen 80 ": f"listen 127.0.0.1:{front.plain_port} ",
            "gateway-1:8080": f"127.0.0.1:{first}",
            "gateway-2:8080": f"127.0.0.1:{second}",
            "/etc/nginx/tls/tls.crt": str(front.certificate.certificate),
            "/etc/nginx/tls/tls.key": str(front.certificate.key),
            "/tmp/nginx/": f"{folder}/",
            "/run/nginx.pid": str(folder / "nginx.pid"),
            "/dev/stderr": str(folder / "error.log"),
            "/dev/stdout": str(front.access_log),
        },
    )


def _replaced(text: str, values: Mapping[str, str]) -> str:
    for old, new in values.items():
        assert old in text, f"{old} is no longer in {CONFIGURATION}"
        text = text.replace(old, new)
    return text


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
