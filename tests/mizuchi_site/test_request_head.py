"""What the server takes for the head of a request, and what it refuses rather than guess."""

from __future__ import annotations

from http import HTTPStatus

import pytest

from mizuchi_site.server.request_head import (
    MAX_HEAD_BYTES,
    MAX_HEADERS,
    MAX_TARGET_BYTES,
    BadRequestError,
    RequestHead,
    find_end,
    parse_head,
)


def put(*lines: str, start: str = "PUT /b/k HTTP/1.1", host: str = "Host: h") -> bytes:
    return "\r\n".join([start, *([host] if host else []), *lines, "", ""]).encode("latin-1")


def parse(received: bytes) -> RequestHead:
    """As a connection does: up to the end that is found."""
    end = find_end(received)
    assert end, "the server would wait for more"
    return parse_head(received[:end])


def test_a_head_is_read_as_it_was_sent() -> None:
    head = parse(
        put("X-A:  b\t ", "x-a: c", "X_B: d", "Cookie: e=1", "Cookie: f=2", start="PUT /%65?q=%2F HTTP/1.1")
    )
    assert (head.method, head.path, head.query, head.is_http_1_1) == ("PUT", "/%65", "q=%2F", True)
    assert head.headers == (
        ("host", "h"), ("x-a", "b"), ("x-a", "c"), ("x_b", "d"), ("cookie", "e=1"), ("cookie", "f=2"),
    )  # fmt: skip
    assert head.variables == {"HTTP_HOST": "h", "HTTP_X_A": "b,c", "HTTP_COOKIE": "e=1; f=2"}


@pytest.mark.parametrize(
    ("target", "path", "query"),
    [
        ("/", "/", ""),
        ("//a/../b", "//a/../b", ""),
        ("/a?b?c", "/a", "b?c"),
        ("http://h:80/a?b", "/a", "b"),
        ("HTTP://h?b", "/", "b"),
        ("*", "*", ""),
        ('/\xc3\xa4"{}|^`', '/\xc3\xa4"{}|^`', ""),
    ],
)
def test_targets(target: str, path: str, query: str) -> None:
    head = parse(put(start=f"PUT {target} HTTP/1.1"))
    assert (head.path, head.query) == (path, query)


@pytest.mark.parametrize(
    ("lines", "body_bytes"),
    [
        ([], 0),
        (["Content-Length: 5"], 5),
        (["Content-Length: 5", "Content-Length: 5"], 5),
        (["Content-Length: 5 , 5"], 5),
        (["Transfer-Encoding: Chunked"], None),
        (
            ["Transfer-Encoding: gzip", "Transfer-Encoding: chunked"],
            None,
        ),  # gzip is the application's to refuse
        (["Content-Length: 5", "Transfer-Encoding: chunked"], None),
    ],
)
def test_framings(lines: list[str], body_bytes: int | None) -> None:
    assert parse(put(*lines)).body_bytes == body_bytes


def test_names_that_are_long_are_read_too() -> None:
    name = "x-amz-meta-" + "n" * 2000
    assert parse(put(f"{name}: 1")).headers[1] == (name, "1")
    with pytest.raises(BadRequestError):
        parse(put(f"{name}(: 1"))


def test_of_two_framings_one_is_forgotten_and_the_connection_ends() -> None:
    head = parse(put("Content-Length: 5", "Transfer-Encoding: chunked"))
    assert not {"CONTENT_LENGTH", "content-length"} & {*head.variables, *dict(head.headers)}
    assert not head.keeps_connection


@pytest.mark.parametrize(
    ("received", "is_kept"),
    [
        (put(), True),
        (put("Connection: keep-alive"), True),
        (put("Connection: x, Close"), False),
        (put(start="GET / HTTP/1.0"), False),
        (put("Connection: Keep-Alive", start="GET / HTTP/1.0"), True),
    ],
)
def test_who_wants_to_go_on(received: bytes, is_kept: bool) -> None:
    assert parse(received).keeps_connection == is_kept


LENGTHS = ["", "+3", "-3", "3a", "0x3", "3 3", "3,4", "3,", "1_0", "3;", "9" * 19, "\xb2"]
CODINGS = [
    *("", "gzip", "identity", "xchunked", '"chunked"', "chunked;q=1", "chunked,", "\x0bchunked"),
    *("chunked, gzip", "gzip, chunked, chunked", "chunked, chunked", ", chunked", "gzip;q=1, chunked"),
]
STARTS = [
    *("GET /", "GET  / HTTP/1.1", "GET / HTTP/1.1 ", " GET / HTTP/1.1", "GET\t/ HTTP/1.1", "G(T / HTTP/1.1"),
    *(
        "GET / HTTP/1.10",
        "GET / HTTP/2.0",
        "GET / HTTP/0.9",
        "GET / http/1.1",
        "GET / RTSP/1.0",
        "PRI * HTTP/2.0",
    ),
    *("GET /a b HTTP/1.1", "GET /a#b HTTP/1.1", "GET /\x00 HTTP/1.1", "GET /\x7f HTTP/1.1", "GET a HTTP/1.1"),
    *("GET ftp://h/ HTTP/1.1", "CONNECT h:443 HTTP/1.1"),
]


@pytest.mark.parametrize(
    "received",
    [
        pytest.param(b"PUT /b/k HTTP/1.1\nHost: h\n\n", id="bare line feeds"),
        pytest.param(put("X: a\nContent-Length: 3"), id="bare line feed"),
        pytest.param(put("X: a\rContent-Length: 3"), id="bare carriage return"),
        pytest.param(put("X: a", " b"), id="folded line"),
        pytest.param(put("X:", " Content-Length: 3"), id="folded empty line"),
        pytest.param(put(" X: a"), id="space before a name"),
        pytest.param(put("Content-Length : 3"), id="space before the colon"),
        pytest.param(put("X\x0b: 3"), id="control character in a name"),
        pytest.param(put("X(: 3"), id="delimiter in a name"),
        pytest.param(put("\xc4: 3"), id="name not ASCII"),
        pytest.param(put(": 3"), id="no name"),
        pytest.param(put("X"), id="no colon"),
        pytest.param(put("X: a\0b"), id="NUL"),
        pytest.param(put("X: a\x7fb"), id="DEL"),
        pytest.param(put(host=""), id="no host"),
        pytest.param(put("Host: i"), id="two hosts"),
        pytest.param(put("Host: h"), id="the same host twice"),
        *(pytest.param(put(f"Content-Length: {text}"), id=f"length {text!r}") for text in LENGTHS),
        pytest.param(put("Content-Length: 3", "Content-Length: 4"), id="two lengths"),
        *(pytest.param(put(f"Transfer-Encoding: {text}"), id=f"coding {text!r}") for text in CODINGS),
        pytest.param(put("Transfer-Encoding: chunked", "Transfer-Encoding: identity"), id="two codings"),
        pytest.param(put("Transfer-Encoding: chunked", start="PUT / HTTP/1.0"), id="chunked in HTTP/1.0"),
        *(pytest.param(put(start=start), id=repr(start)) for start in STARTS),
        pytest.param(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", id="TLS"),
        pytest.param(b" ", id="a space first"),
    ],
)
def test_what_is_ambiguous_or_malformed_is_refused(received: bytes) -> None:
    with pytest.raises(BadRequestError) as refused:
        parse(received)
    assert refused.value.status == HTTPStatus.BAD_REQUEST


@pytest.mark.parametrize(
    ("received", "status"),
    [
        pytest.param(put(*(f"X-{n}: 1" for n in range(MAX_HEADERS))), 431, id="too many headers"),
        pytest.param(put("X: " + "a" * MAX_HEAD_BYTES)[:MAX_HEAD_BYTES], 431, id="no end of headers"),
        pytest.param(b"GET /" + b"a" * MAX_HEAD_BYTES, 414, id="no end of a target"),
        pytest.param(put(start=f"GET /{'a' * MAX_TARGET_BYTES} HTTP/1.1"), 414, id="a long target"),
    ],
)
def test_what_is_too_long_is_refused(received: bytes, status: int) -> None:
    with pytest.raises(BadRequestError) as refused:
        parse(received)
    assert refused.value.status == status


def test_the_most_that_is_taken() -> None:
    head = parse(
        put(*(f"X-{n}: {'v' * 600}" for n in range(MAX_HEADERS - 1)), start=f"GET /{'a' * 65000} HTTP/1.1")
    )
    assert len(head.headers) == MAX_HEADERS


def test_a_head_that_comes_byte_by_byte_ends_where_it_ends() -> None:
    received = put("Content-Length: 3") + b"abc"
    end = len(received) - 3
    assert [find_end(received[:size], size - 1) for size in range(1, end)] == [0] * (end - 1)
    assert find_end(received[:end], end - 1) == find_end(received) == end
