"""How the tests' own servers start, fail and stop."""

from __future__ import annotations

import socket
import sys

import pytest

from tests.servers.process import ServerFailed, free_ports, needs_server, running_server

SERVE = "import http.server as h, sys; h.HTTPServer(('127.0.0.1', int(sys.argv[1])), None).serve_forever()"


def listens(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def test_free_ports_differ():
    assert len(set(free_ports(20))) == 20


def test_a_server_runs_while_the_block_lasts(tmp_path):
    (port,) = free_ports(1)
    command = [sys.executable, "-c", SERVE, str(port)]
    with running_server(command, log=tmp_path / "log", is_ready=lambda: listens(port)) as process:
        assert process.poll() is None
    assert process.poll() is not None
    assert not listens(port)


def test_a_server_that_dies_shows_its_log(tmp_path):
    command = [sys.executable, "-c", "raise SystemExit('no such volume')"]
    with (
        pytest.raises(ServerFailed, match="no such volume"),
        running_server(command, log=tmp_path / "log", is_ready=lambda: False),
    ):
        pytest.fail("it was never ready")


def test_a_server_that_never_gets_ready_is_stopped(tmp_path):
    command = [sys.executable, "-c", "import time; print('warming up', flush=True); time.sleep(60)"]
    with (
        pytest.raises(ServerFailed, match="not ready"),
        running_server(command, log=tmp_path / "log", is_ready=lambda: False, ready_seconds=0.5),
    ):
        pytest.fail("it was never ready")


def test_a_missing_program_skips(monkeypatch):
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="no-such-server"):
        needs_server("no-such-server")


def test_a_missing_program_fails_in_ci(monkeypatch):
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="no-such-server"):
        needs_server("no-such-server")


def test_seaweedfs_takes_and_gives_back_an_object(seaweedfs):
    bucket = seaweedfs.create_bucket()
    seaweedfs.client.put_object(Bucket=bucket, Key="k", Body=b"hello")
    assert seaweedfs.client.get_object(Bucket=bucket, Key="k")["Body"].read() == b"hello"
