"""What an application behind the server sees of a request, and a client of the answer."""

from __future__ import annotations

import ast
import json
import socket
import time
from collections.abc import Iterator

import pytest

from tests.mizuchi_site.serving import Server, head, read_answer


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server(threads=64) as running:
        yield running


def environ_of(server: Server, request: bytes) -> dict[str, object]:
    body = server.exchange(request).partition(b"\r\n\r\n")[2]
    shown = json.loads(body)
    return {key: ast.literal_eval(shown[key]) for key in shown if key not in ("wsgi.input", "wsgi.errors")}


def test_the_environ_keeps_what_signatures_cover(server: Server) -> None:
    environ = environ_of(
        server,
        b"PUT /%65nviron?a=%2F+b HTTP/1.1\r\nHost: h.example:80\r\nX-Rep: a\r\nX-Rep: b, c\r\n"
        b"x-amz-meta-my_key: v1\r\nX-Utf: \xc3\xa4\r\nContent-Type: a/b\r\nCookie: a=1\r\nCookie: b=2\r\n"
        b"Content-Length: 0\r\n\r\n",
    )
    expected = {
        "PATH_INFO": "/environ",
        "mizuchi.raw_path": b"/%65nviron",
        "QUERY_STRING": "a=%2F+b",
        "REQUEST_METHOD": "PUT",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "SERVER_PORT": str(server.port),
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": "h.example:80",
        "HTTP_X_REP": "a,b, c",
        "HTTP_X_UTF": "Ã¤",
        "HTTP_COOKIE": "a=1; b=2",
        "CONTENT_TYPE": "a/b",
        "CONTENT_LENGTH": "0",
    }
    assert {key: environ.get(key) for key in expected} == expected
    assert "HTTP_X_AMZ_META_MY_KEY" not in environ
    assert ("x-amz-meta-my_key", "v1") in environ["mizuchi.headers"]  # type: ignore[operator]
    assert "PATH" not in environ, "the process's own environment does not belong here"


@pytest.mark.parametrize(
    ("request_bytes", "answer"),
    [
        pytest.param(head("/upload", 5) + b"hello", b" 5", id="whole"),
        pytest.param(head("/upload") + b"5\r\nhello\r\n0\r\n\r\n", b" 5", id="chunked"),
        pytest.param(head("/upload", 0), b" 0", id="empty"),
        pytest.param(head("/form", 9) + b"a=b&c=def", b"a=b&c=def", id="form"),
        pytest.param(
            head("/lines", 14) + b"one\ntwothree45", b"(b'one\\n', b'two', b'thre', b'e45')", id="lines"
        ),
    ],
)
def test_bodies_arrive(server: Server, request_bytes: bytes, answer: bytes) -> None:
    assert server.exchange(request_bytes).endswith(answer)


@pytest.mark.parametrize(
    "request_bytes",
    [
        pytest.param(head("/upload", 20) + b"hello", id="length"),
        pytest.param(head("/upload") + b"5\r\nhello\r\n", id="chunked"),
        pytest.param(head("/upload") + b"5\r\nhello\r\nZZ\r\n", id="malformed chunk"),
    ],
)
def test_a_body_that_is_cut_is_never_taken_for_whole(server: Server, request_bytes: bytes) -> None:
    with server.connect() as client:
        client.sendall(request_bytes)
        client.shutdown(socket.SHUT_WR)
        assert read_answer(client).endswith(b"IncompleteBody 5")


@pytest.mark.parametrize(
    "request_bytes",
    [
        pytest.param(head("/upload", 3, "Content-Length: 4") + b"abcd", id="two lengths"),
        pytest.param(head("/upload", 3, "Transfer-Encoding: gzip") + b"abc", id="unknown coding"),
    ],
)
def test_ambiguous_framing_is_refused(server: Server, request_bytes: bytes) -> None:
    assert server.exchange(request_bytes).startswith(b"HTTP/1.1 400 ")


def test_length_and_chunked_together_are_read_as_chunked_and_the_connection_ends(server: Server) -> None:
    with server.connect() as client:
        client.sendall(
            head("/upload", 3, "Transfer-Encoding: chunked") + b"5\r\nhello\r\n0\r\n\r\nGET /smuggled"
        )
        answer = b"".join(iter(lambda: client.recv(4096), b""))
    assert answer.endswith(b" 5")
    assert answer.count(b"HTTP/1.1") == 1


def test_connections_are_kept(server: Server) -> None:
    with server.connect() as client:
        for _ in range(3):
            client.sendall(head("/upload", 5) + b"hello")
            assert read_answer(client).endswith(b" 5")


def test_answers_in_blocks_and_to_head(server: Server) -> None:
    assert server.get("/blocks").endswith(b"0\r\n\r\n")
    with server.connect() as client:
        client.sendall(b"HEAD /environ HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
        answer = b"".join(iter(lambda: client.recv(4096), b""))
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert answer.endswith(b"\r\n\r\n")


def test_an_application_that_fails_answers_500_and_is_logged(server: Server) -> None:
    assert server.get("/nowhere").startswith(b"HTTP/1.1 500 ")
    server.wait_for("RuntimeError: no such path")


def test_continue_is_sent_on_the_first_read_only(server: Server) -> None:
    with server.connect() as client:
        client.sendall(head("/upload", 5, "Expect: 100-continue"))
        assert client.recv(100).startswith(b"HTTP/1.1 100 Continue")
        client.sendall(b"hello")
        assert read_answer(client).endswith(b" 5")
    assert server.exchange(head("/refuse", 5, "Expect: 100-continue")).startswith(b"HTTP/1.1 403 ")


@pytest.mark.parametrize("size", [100_000, 6_000_000], ids=["small", "part"])
def test_a_refused_client_that_writes_before_it_reads_gets_the_refusal(server: Server, size: int) -> None:
    with server.connect() as client:
        client.sendall(head("/refuse", size))
        for _ in range(10):
            client.sendall(bytes(size // 10))
            time.sleep(0.01)
        assert read_answer(client).startswith(b"HTTP/1.1 403 ")
        client.sendall(head("/upload", 2) + b"ok")
        assert read_answer(client).endswith(b" 2"), "what was dropped ends where the body ends"


def send_until_cut(client: socket.socket, mebibytes: int) -> None:
    for _ in range(mebibytes):
        client.sendall(bytes(1 << 20))
        time.sleep(0.001)


@pytest.mark.parametrize(
    "framing", [head("/refuse", 1 << 30), head("/refuse") + b"40000000\r\n"], ids=["length", "chunked"]
)
def test_a_refused_client_that_sends_far_more_is_cut(server: Server, framing: bytes) -> None:
    with server.connect() as client:
        client.sendall(framing)
        with pytest.raises(OSError, match=r"Broken pipe|reset"):
            send_until_cut(client, 64)


def test_a_refused_client_that_sends_nothing_more_is_answered_after_the_linger(server: Server) -> None:
    started = time.monotonic()
    assert server.exchange(head("/refuse", 1000)).startswith(b"HTTP/1.1 403 ")
    assert time.monotonic() - started < 4
