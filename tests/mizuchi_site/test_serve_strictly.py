"""Clients that mean harm, and answers that would do some: on an engine in this process, with short limits."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest

from mizuchi_site.server.engine import Engine
from mizuchi_site.server.listening import BindAddress, listen
from tests.mizuchi_site.serving import head, read_answer

GET = b"GET /next HTTP/1.1\r\nHost: h\r\n\r\n"
IDLE_SECONDS = 0.6


class Site:
    """An application that notes what reached it."""

    def __init__(self) -> None:
        self.requests: list[str] = []
        self.failures: list[OSError] = []

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        self.requests.append(environ["PATH_INFO"])
        answer = getattr(self, environ["PATH_INFO"].strip("/"), self.next)
        return answer(environ, start_response)  # type: ignore[no-any-return]

    def next(self, _environ: Any, start_response: Callable[..., Any]) -> Iterable[bytes]:
        start_response("200 OK", [])
        return [b"next"]

    def body(self, environ: Any, start_response: Callable[..., Any]) -> Iterable[bytes]:
        """The body, through a buffer of 4 bytes."""
        buffer, body = bytearray(4), bytearray()
        try:
            while count := environ["wsgi.input"].readinto1(memoryview(buffer)):
                body += buffer[:count]
        except OSError as error:
            self.failures.append(error)
        start_response("200 OK", [])
        return [bytes(body)]

    def slow(self, _environ: Any, start_response: Callable[..., Any]) -> Iterable[bytes]:
        time.sleep(0.05)
        start_response("200 OK", [])
        return [b"slow"]

    def split(self, _environ: Any, start_response: Callable[..., Any]) -> Iterable[bytes]:
        start_response("200 OK", [("X-Key", "a\r\nSet-Cookie: b=c")])
        return [b""]

    def broken(self, _environ: Any, start_response: Callable[..., Any]) -> Iterable[bytes]:
        start_response("200 OK", [])
        yield b"half"
        raise RuntimeError("on the way")

    def short(self, _environ: Any, start_response: Callable[..., Any]) -> Iterable[bytes]:
        start_response("200 OK", [("Content-Length", "10")])
        yield b"half"

    def nothing(self, _environ: Any, start_response: Callable[..., Any]) -> Iterable[bytes]:
        start_response("204 No Content", [])
        return []

    def endless(self, _environ: Any, start_response: Callable[..., Any]) -> Iterable[bytes]:
        start_response("200 OK", [])
        try:
            while True:
                yield bytes(1 << 20)
        finally:
            self.failures.append(ConnectionError())


class Running:
    def __init__(self, port: int, site: Site) -> None:
        self.port = port
        self.site = site

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=10)

    def exchange(self, request: bytes) -> bytes:
        """What comes until the server closes."""
        with self.connect() as client:
            client.sendall(request)
            return read_all(client)


def read_all(client: socket.socket) -> bytes:
    return b"".join(iter(lambda: client.recv(65536), b""))


@contextlib.contextmanager
def running(**options: Any) -> Iterator[Running]:
    site = Site()
    listener = listen(BindAddress("127.0.0.1", 0), backlog=2048)
    port = listener.getsockname()[1]
    limits = {
        "threads": 4,
        "max_connections": 2000,
        "stall_seconds": 1.0,
        "idle_seconds": IDLE_SECONDS,
        **options,
    }
    engine = Engine(site, listener, is_draining=lambda: False, **limits)
    engine.start()
    try:
        yield Running(port, site)
    finally:
        engine.stop()
        engine.abort()
        engine.wait()


@pytest.fixture(scope="module")
def strict() -> Iterator[Running]:
    with running(idle_seconds=30.0) as server:
        yield server


@pytest.fixture(autouse=True)
def forget(request: pytest.FixtureRequest) -> None:
    if "strict" in request.fixturenames:
        site = request.getfixturevalue("strict").site
        site.requests.clear()
        site.failures.clear()


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        pytest.param(head("/body", 3, "Content-Length: 30") + b"abc", 400, id="two lengths"),
        pytest.param(
            head("/body", 3, "Transfer-Encoding: xchunked") + b"abc", 400, id="length and odd coding"
        ),
        pytest.param(
            head("/body", None, "Transfer-Encoding: identity") + b"0\r\n\r\n", 400, id="two codings"
        ),
        pytest.param(head("/body", 3, "X: a\nTransfer-Encoding: chunked") + b"abc", 400, id="bare line feed"),
        pytest.param(head("/body", 3, "Transfer-Encoding : chunked") + b"abc", 400, id="space before colon"),
        pytest.param(head("/body", 3, "X: a", " b") + b"abc", 400, id="folded"),
        pytest.param(b"GET /body\r\n", 400, id="HTTP/0.9"),
        pytest.param(b"\x16\x03\x01\x02", 400, id="TLS"),
        pytest.param(head("/body", 0, *(f"X-{n}: 1" for n in range(100))), 431, id="many headers"),
        pytest.param(b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\nHost: h\r\n\r\n", 414, id="long target"),
    ],
)
def test_a_request_behind_a_bad_head_is_never_run(strict: Running, request_bytes: bytes, status: int) -> None:
    answer = strict.exchange(request_bytes + GET)
    assert answer.startswith(f"HTTP/1.1 {status} ".encode())
    assert answer.count(b"HTTP/1.1") == 1
    assert not strict.site.requests


@pytest.mark.parametrize(
    "chunks",
    [
        pytest.param(b"3\nabc\n0\n\n", id="bare line feeds"),
        pytest.param(b"3 \r\nabc\r\n0\r\n\r\n", id="space after size"),
        pytest.param(b"3;" + b"a" * 1000 + b"\r\nabc\r\n0\r\n\r\n", id="long extension"),
        pytest.param(b"2\r\nabc\r\n0\r\n\r\n", id="wrong size"),
        pytest.param(b"fffffffffffffffff\r\nabc\r\n0\r\n\r\n", id="huge size"),
        pytest.param(b"0\r\nX : 1\r\n\r\n", id="bad trailer"),
    ],
)
def test_a_request_behind_bad_chunks_is_never_run(strict: Running, chunks: bytes) -> None:
    answer = strict.exchange(head("/body") + chunks + GET)
    assert answer.count(b"HTTP/1.1") == 1
    assert strict.site.requests == ["/body"]
    assert isinstance(strict.site.failures[0], ConnectionError)


@pytest.mark.parametrize(
    "wire",
    [
        pytest.param(head("/body", 5) + b"hello", id="length"),
        pytest.param(head("/body") + b"2\r\nhe\r\n3;x\r\nllo\r\n0\r\nT: 1\r\n\r\n", id="chunked"),
        pytest.param(head("/body", 5) + b"hello\r\n", id="empty line behind the body"),
    ],
)
@pytest.mark.parametrize("split", [None, 1, 70, 85])
def test_requests_in_one_breath_are_answered_in_order(
    strict: Running, wire: bytes, split: int | None
) -> None:
    last = GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    with strict.connect() as client:
        everything = wire + GET + wire + last
        client.sendall(everything[:split])
        time.sleep(0.05 if split else 0)
        client.sendall(everything[split:] if split else b"")
        answer = read_all(client)
    assert [part.rpartition(b"\r\n")[2] for part in answer.split(b"HTTP/1.1 200 OK")[1:]] == [
        b"hello",
        b"next",
        b"hello",
        b"next",
    ]


def test_a_client_that_says_no_more_gets_its_answer(strict: Running) -> None:
    with strict.connect() as client:
        client.sendall(head("/body", 5) + b"hello")
        client.shutdown(socket.SHUT_WR)
        assert read_all(client).endswith(b"hello")


def test_a_body_in_pieces_arrives_in_the_callers_buffer(strict: Running) -> None:
    with strict.connect() as client:
        for piece in (head("/body", 11), b"he", b"llo wo", b"rld"):
            client.sendall(piece)
            time.sleep(0.02)
        assert read_answer(client).endswith(b"hello world")


@pytest.mark.parametrize(
    ("request_bytes", "announces", "is_kept"),
    [
        (b"GET /next HTTP/1.0\r\n\r\n", b"connection: close", False),
        (b"GET /next HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", b"connection: keep-alive", True),
        (b"GET /next HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", b"connection: close", False),
        (b"GET /broken HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", b"connection: close", False),
    ],
)
def test_old_clients(strict: Running, request_bytes: bytes, announces: bytes, is_kept: bool) -> None:
    with strict.connect() as client:
        client.sendall(request_bytes)
        answer = client.recv(4096)
        assert announces in answer
        assert b"transfer-encoding" not in answer
        if is_kept:
            client.sendall(GET)
            assert client.recv(4096).endswith(b"next")
        else:
            read_all(client)


def test_no_client_writes_the_headers_of_an_answer(strict: Running) -> None:
    answer = strict.exchange(head("/split", 0, "Connection: close"))
    assert answer.startswith(b"HTTP/1.1 500 ")
    assert b"Set-Cookie" not in answer


def test_an_answer_that_breaks_off_is_not_taken_for_whole(strict: Running) -> None:
    answer = strict.exchange(head("/broken", 0))
    assert b"half" in answer
    assert not answer.endswith(b"0\r\n\r\n")


def test_a_connection_ends_with_an_answer_of_another_length_than_announced(strict: Running) -> None:
    assert strict.exchange(head("/short", 0) + GET).endswith(b"half")


@pytest.mark.parametrize(
    ("method", "path", "has_length"),
    [("HEAD", "/next", True), ("GET", "/nothing", False), ("HEAD", "/broken", False)],
)
def test_answers_without_a_body(strict: Running, method: str, path: str, has_length: bool) -> None:
    answer = strict.exchange(head(path, 0, "Connection: close", method=method))
    assert answer.endswith(b"\r\n\r\n")
    assert (b"content-length: " in answer) == has_length
    assert b"\r\ndate: " in answer


def test_a_client_that_takes_no_answer_is_left(strict: Running) -> None:
    with strict.connect() as client:
        client.sendall(head("/endless", 0))
        deadline = time.monotonic() + 5
        while not strict.site.failures:
            assert time.monotonic() < deadline
            time.sleep(0.02)


def test_heads_that_never_end_hold_nothing_and_are_cut() -> None:
    with running(threads=1) as server, contextlib.ExitStack() as stack:
        lorises = [stack.enter_context(server.connect()) for _ in range(20)]
        started = time.monotonic()
        for byte in b"GET /slow HTTP/1.1\r\nHost: h\r\nX: " + b"a" * 200:
            with contextlib.suppress(ConnectionError):
                for client in lorises:
                    client.sendall(bytes([byte]))
            if time.monotonic() - started > IDLE_SECONDS * 2:
                break
            with server.connect() as other:
                other.sendall(GET)
                assert read_answer(other).endswith(b"next")
            time.sleep(0.03)
        for client in lorises:
            with contextlib.suppress(ConnectionError):
                assert client.recv(1) == b""
        assert time.monotonic() - started < IDLE_SECONDS + 3
        assert "/slow" not in server.site.requests


def test_a_crowd_of_idle_connections_takes_no_thread() -> None:
    with running(threads=2, idle_seconds=30.0) as server, contextlib.ExitStack() as stack:
        threads = threading.active_count()
        for number in range(400):
            client = stack.enter_context(server.connect())
            if number % 2:
                client.sendall(GET)
                assert read_answer(client).endswith(b"next")
        assert threading.active_count() <= threads + 2


@pytest.mark.parametrize("request_bytes", [b"", GET], ids=["new", "kept"])
def test_idle_connections_are_closed(request_bytes: bytes) -> None:
    with running() as server, server.connect() as client:
        client.sendall(request_bytes)
        started = time.monotonic()
        read_all(client)
        assert IDLE_SECONDS - 0.1 < time.monotonic() - started < IDLE_SECONDS + 2


def test_connections_beyond_the_limit_wait_and_are_served_when_one_closes() -> None:
    with (
        running(max_connections=2, idle_seconds=30.0) as server,
        server.connect() as kept,
        server.connect() as idle,
    ):
        kept.sendall(GET)
        assert read_answer(kept).endswith(b"next")
        with server.connect() as beyond:
            beyond.sendall(GET)
            beyond.settimeout(0.3)
            with pytest.raises(TimeoutError):
                beyond.recv(1)
            idle.close()
            beyond.settimeout(5)
            assert read_answer(beyond).endswith(b"next")


def test_a_client_that_never_pauses_does_not_keep_the_thread() -> None:
    with running(threads=1) as server, server.connect() as greedy, server.connect() as other:
        greedy.sendall(b"GET /slow HTTP/1.1\r\nHost: h\r\n\r\n" * 40)
        time.sleep(0.2)
        other.sendall(GET)
        assert read_answer(other).endswith(b"next")
        assert server.site.requests.count("/slow") < 20
