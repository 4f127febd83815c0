"""Clients that stop sending."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.mizuchi_site.serving import Server, head, read_answer


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server(threads=64, body_stall_seconds=1.0) as running:
        yield running


@pytest.mark.parametrize(
    "request_bytes",
    [
        pytest.param(head("/upload", 10) + b"hello", id="length"),
        pytest.param(head("/upload") + b"a\r\nhello", id="inside a chunk"),
    ],
)
def test_a_stalled_upload_ends_with_request_timeout(server: Server, request_bytes: bytes) -> None:
    started = time.monotonic()
    with server.connect() as client:
        client.sendall(request_bytes)
        answer = read_answer(client)
        assert client.recv(1) == b""
    assert 0.9 < time.monotonic() - started < 2
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert answer.endswith(b"RequestTimeout 5")


def test_a_client_that_waits_after_continue_is_stalled_too(server: Server) -> None:
    with server.connect() as client:
        client.sendall(head("/upload", 5, "Expect: 100-continue"))
        assert client.recv(100).startswith(b"HTTP/1.1 100 ")
        assert read_answer(client).endswith(b"RequestTimeout 0")


def test_a_slow_client_that_moves_is_not_cut(server: Server) -> None:
    with server.connect() as client:
        client.sendall(head("/upload", 6))
        for _ in range(6):
            time.sleep(0.4)
            client.sendall(b"x")
        assert read_answer(client).endswith(b" 6")


def test_stalled_uploads_stop_nobody_else(server: Server) -> None:
    """All come from one address, and others of that address go on."""
    with ExitStack() as stack:
        stalled = [stack.enter_context(server.connect()) for _ in range(16)]
        moving = stack.enter_context(server.connect())
        idle = stack.enter_context(server.connect())
        idle.sendall(head("/upload", 2) + b"ok")
        read_answer(idle)
        for client in stalled:
            client.sendall(head("/upload", 10) + b"hello")
        moving.sendall(head("/upload", 20))
        for _ in range(20):
            moving.sendall(b"x")
            time.sleep(0.1)
            assert server.exchange(head("/upload", 5) + b"hello").endswith(b" 5")
        assert read_answer(moving).endswith(b" 20")
        assert all(read_answer(client).endswith(b"RequestTimeout 5") for client in stalled)
        idle.sendall(head("/upload", 2) + b"ok")
        assert read_answer(idle).endswith(b" 2")


def test_a_stalled_upload_gives_its_thread_back() -> None:
    with Server(threads=1, body_stall_seconds=1.0) as server:
        for _ in range(2):
            with server.connect() as client:
                client.sendall(head("/upload", 10) + b"hello")
                assert server.exchange(head("/upload", 5) + b"hello").endswith(b" 5")
                assert read_answer(client).endswith(b"RequestTimeout 5")
