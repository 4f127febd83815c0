"""Connections to engines over TLS, and what an idle pool keeps."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from authz.policy.base import EngineFailure
from authz.policy.http_pool import HttpPool
from tests.servers.certificates import Certificate, self_signed
from tests.servers.scripted import Peer, ScriptedServer, scripted_server


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return self_signed(tmp_path_factory.mktemp("certificate"))


@pytest.fixture
def server(certificate: Certificate) -> Iterator[ScriptedServer]:
    """Speaks TLS, and answers every request on a connection."""

    def script(peer: Peer, number: int) -> None:
        while peer.read_request()[0]:
            peer.answer(headers="", body=b"{}")

    with scripted_server(script, tls=certificate.server_context()) as server:
        yield server


def ask(url: str, ca_file: Path | None = None, timeout_seconds: float = 5.0, times: int = 1) -> int:
    """The last status. Raises EngineFailure."""
    pool = HttpPool(url, timeout_seconds=timeout_seconds, ca_file=ca_file)
    try:
        return [pool.post("/", b"{}").status for _ in range(times)][-1]
    finally:
        pool.close()


def test_a_certificate_that_is_trusted(server: ScriptedServer, certificate: Certificate) -> None:
    assert ask(f"https://127.0.0.1:{server.port}", certificate.certificate, times=10) == 200
    assert server.connections == 1, "a session ticket on a kept connection does not end it"


def test_a_certificate_that_is_not(server: ScriptedServer) -> None:
    with pytest.raises(EngineFailure) as failure:
        ask(f"https://127.0.0.1:{server.port}")

    assert (failure.value.code, failure.value.is_outage) == ("tls", True)
    assert "is not trusted" in failure.value.detail


def test_a_certificate_of_another_host(server: ScriptedServer, certificate: Certificate) -> None:
    with pytest.raises(EngineFailure) as failure:
        ask(f"https://localhost:{server.port}", certificate.certificate)

    assert failure.value.code == "tls"


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_nobody_behind_the_port(scheme: str, certificate: Certificate) -> None:
    """The machine takes the connection, no program answers on it: the handshake has its time too."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        began = time.monotonic()
        with pytest.raises(EngineFailure) as failure:
            ask(f"{scheme}://127.0.0.1:{listener.getsockname()[1]}", timeout_seconds=0.3)

    assert failure.value.code == "timeout"
    assert time.monotonic() - began < 5


def test_plain_http_where_tls_is_spoken(server: ScriptedServer) -> None:
    with pytest.raises(EngineFailure) as failure:
        ask(f"http://127.0.0.1:{server.port}")

    assert failure.value.is_outage


def test_a_name_that_is_not_known() -> None:
    with pytest.raises(EngineFailure) as failure:
        ask("http://no-such-host.invalid:8181")

    assert (failure.value.code, failure.value.is_outage) == ("dns", True)


def test_no_more_than_32_connections_stay_when_idle() -> None:
    gate = threading.Barrier(40)

    def script(peer: Peer, number: int) -> None:
        peer.read_request()
        gate.wait(10)
        peer.answer(headers="", body=b"{}")
        peer.read_head()

    with scripted_server(script) as server:
        pool = HttpPool(server.endpoint, timeout_seconds=10)
        with ThreadPoolExecutor(40) as threads:
            statuses = set(threads.map(lambda _: pool.post("/", b"{}").status, range(40)))
        assert (statuses, server.connections, len(pool._idle)) == ({200}, 40, 32)
        pool.close()
        assert len(pool._idle) == 0
