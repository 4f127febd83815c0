"""The gateway under test and the files that clients upload to it.

``E2E_DIRECT=1`` lets the clients talk to SeaweedFS itself instead of to the gateway: a case that fails
there too is not the gateway's fault.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.clients.cases import content_of_size
from tests.e2e.clients.target import Client, Target
from tests.e2e.gateway import Gateway, Site, read_upstream, running_gateway
from tests.e2e.tls import make_certificate, tls_before
from tests.e2e.token_site import TokenSite, running_token_site
from tests.e2e.wire.scene import surprises_in
from tests.servers.otlp_receiver import otlp_receiver
from tests.servers.seaweedfs import SeaweedFS

DIRECT = os.environ.get("E2E_DIRECT") == "1"


@pytest.fixture(scope="session")
def untraced_gateway(tmp_path_factory: pytest.TempPathFactory, seaweedfs: SeaweedFS) -> Iterator[Gateway]:
    tracing = {"enabled": False}
    with running_gateway(tmp_path_factory.mktemp("gateway"), seaweedfs, {"tracing": tracing}) as running:
        yield running


@pytest.fixture(scope="session")
def traced_gateway(tmp_path_factory: pytest.TempPathFactory, seaweedfs: SeaweedFS) -> Iterator[Gateway]:
    """The same, and every request is a trace that a collector gets."""
    with otlp_receiver("http/protobuf") as receiver:
        tracing = {"otlp": {"endpoint": receiver.endpoint, "protocol": "http/protobuf"}}
        folder = tmp_path_factory.mktemp("traced-gateway")
        with running_gateway(folder, seaweedfs, {"tracing": tracing}) as running:
            yield running
        assert receiver.spans(), "the traced gateway has sent no traces"


@pytest.fixture(scope="session", params=["untraced", "traced"])
def gateway(request: pytest.FixtureRequest) -> Gateway:
    """Tests of requests run on both: tracing changes nothing that a client sees."""
    running: Gateway = request.getfixturevalue(f"{request.param}_gateway")
    return running


@pytest.fixture(scope="session")
def site(request: pytest.FixtureRequest, seaweedfs: SeaweedFS) -> Site:
    if not DIRECT:
        gateway: Gateway = request.getfixturevalue("untraced_gateway")
        return Site(gateway.endpoint, gateway.access_key_id, gateway.secret_access_key, gateway.read)
    for bucket in ("files", "seaweed"):
        seaweedfs.client.create_bucket(Bucket=bucket)
    return Site(
        seaweedfs.endpoint,
        seaweedfs.access_key,
        seaweedfs.secret_key,
        lambda bucket, key: read_upstream(seaweedfs, bucket, key),
    )


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return make_certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="session")
def tls_endpoint(site: Site, certificate: tuple[Path, Path]) -> Iterator[str]:
    port = int(site.endpoint.rpartition(":")[2])
    with tls_before(port, *certificate) as tls_port:
        yield f"https://127.0.0.1:{tls_port}"


@pytest.fixture
def target_of(request: pytest.FixtureRequest, site: Site, tmp_path: Path) -> Callable[[Client, str], Target]:
    """Where a client uploads to a bucket."""

    def target(client: Client, bucket: str) -> Target:
        endpoint, ca_file = site.endpoint, None
        if client.over_tls:
            endpoint = request.getfixturevalue("tls_endpoint")
            ca_file = request.getfixturevalue("certificate")[0]
        return Target(
            endpoint, site.access_key_id, site.secret_access_key, bucket, home=tmp_path, ca_file=ca_file
        )

    return target


@pytest.fixture(scope="session")
def file_of_size(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], Path]:
    """The file with the content of that size; one for all tests."""
    folder = tmp_path_factory.mktemp("content")

    def file(size: int) -> Path:
        path = folder / f"{size}.bin"
        if not path.exists():
            path.write_bytes(content_of_size(size))
        return path

    return file


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[Any]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A failed test shows what the gateway logged while it ran."""
    report = yield
    log = getattr(item, "funcargs", {}).get("gateway_log")
    if report.failed and log is not None:
        report.sections.append(("gateway log", log()))
    return report


@pytest.fixture
def gateway_log(request: pytest.FixtureRequest, site: Site) -> Callable[[], str]:
    """What the gateway logged since the test began."""
    if DIRECT:
        return lambda: ""
    gateway = "gateway" if "gateway" in request.fixturenames else "untraced_gateway"
    log: Path = request.getfixturevalue(gateway).log
    start = log.stat().st_size

    def since_start() -> str:
        with log.open("rb") as lines:
            lines.seek(start)
            return lines.read().decode(errors="replace")

    return since_start


@pytest.fixture(scope="session")
def running_tokens(tmp_path_factory: pytest.TempPathFactory, seaweedfs: SeaweedFS) -> Iterator[TokenSite]:
    with running_token_site(tmp_path_factory.mktemp("tokens"), seaweedfs) as running:
        yield running


@pytest.fixture
def token_site(running_tokens: TokenSite) -> Iterator[TokenSite]:
    """The gateway that takes tokens; no refusal of the test's may be an accident."""
    start = running_tokens.gateway.log.stat().st_size
    yield running_tokens
    with running_tokens.gateway.log.open("rb") as log:
        log.seek(start)
        assert surprises_in(log.read().decode(errors="replace")) == []
