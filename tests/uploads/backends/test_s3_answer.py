"""Reading an HTTP response, however it comes in."""

from __future__ import annotations

import http.client
from collections.abc import Iterable

import pytest

from uploads.backends.s3_answer import ANSWER_BYTES, Answer, read_answer

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


def read(*pieces: bytes) -> Answer:
    came = iter(pieces)
    return read_answer(lambda: next(came, b""))


def bytewise(stream: bytes) -> Iterable[bytes]:
    return (stream[index : index + 1] for index in range(len(stream)))


@pytest.mark.parametrize("split", [lambda stream: (stream,), bytewise], ids=["whole", "bytewise"])
@pytest.mark.parametrize(
    ("stream", "expected"),
    [
        (
            OK + b'ETag:  "e" \r\nX-Empty:\r\nContent-Length: 3\r\n\r\nabc',
            (200, {"etag": '"e"', "x-empty": "", "content-length": "3"}, b"abc", False),
        ),
        (
            b"HTTP/1.1 503\r\ncontent-length:0\r\n\r\n",
            (503, {"content-length": "0"}, b"", False),
        ),
        (
            b"HTTP/1.1 403 Forbidden\r\nTransfer-Encoding: Chunked\r\n\r\n"
            b"2;a=b\r\nab\r\n00A\r\n0123456789\r\n0\r\nX-Trailer: y\r\n\r\n",
            (403, {"transfer-encoding": "Chunked"}, b"ab0123456789", False),
        ),
        (
            b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
            b"HTTP/1.1 204 No Content\r\n\r\n",
            (204, {}, b"", False),
        ),
        (OK + b"A: 1\r\na: 2\r\n\r\nuntil the end", (200, {"a": "1, 2"}, b"until the end", True)),
        (OK + b"\r\n", (200, {}, b"", True)),
        (
            OK + b"Connection: Close\r\nContent-Length: 0\r\n\r\n",
            (200, {"connection": "Close", "content-length": "0"}, b"", True),
        ),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", (200, {"content-length": "0"}, b"", True)),
    ],
    ids=["length", "no reason", "chunked", "informational", "until the end", "nothing", "close", "1.0"],
)
def test_a_response(stream, expected, split):
    assert read(*split(stream)) == expected


@pytest.mark.parametrize(
    ("stream", "body"),
    [
        (OK + b"Content-Length: 3\r\n\r\nabcHTTP/1.1 403 Forbidden\r\n\r\n", b"abc"),
        (b"HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 403 Forbidden\r\n\r\n", b""),
        (CHUNKED + b"0\r\n\r\nx", b""),
        (OK + b"Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n1\r\na\r\n0\r\n\r\n", b"a"),
        (OK + b"Content-Length: 9\r\n\r\nabc", b"abc"),
        (OK + b"Content-Length: 4000000\r\n\r\n" + b"x" * 4_000_000, b"x" * ANSWER_BYTES),
        (CHUNKED + b"1000\r\n" + b"x" * 4096 + b"\r\nf00000\r\n" + b"x" * 4_000_000, b"x" * ANSWER_BYTES),
    ],
    ids=["two", "two without a body", "a byte more", "two lengths", "short", "long", "long chunked"],
)  # fmt: skip
def test_after_what_is_not_clear_nothing_more_is_read(stream, body):
    answer = read(stream)
    assert (answer.body, answer.is_last) == (body, True)


@pytest.mark.parametrize(
    "stream",
    [
        b"HTTP/1.1\r\n\r\n",
        b"HTTP/1.1 20 OK\r\n\r\n",
        b"HTTP/1.1 2000 OK\r\n\r\n",
        b"HTTP/1.1 +200 OK\r\n\r\n",
        b"HTTP/1.10 200 OK\r\n\r\n",
        b"HTTP/2 200 OK\r\n\r\n",
        OK,
        OK + b"no header\r\n\r\n",
        OK + b": x\r\n\r\n",
        OK + b"Content-Length : 0\r\n\r\n",
        OK + b"A: b\r\n folded\r\n\r\n",
        OK + b"A: b\nContent-Length: 0\r\n\r\n",
        OK + b"A: b\rContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\nContent-Length: 0\r\n\r\n",
        OK + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        OK + b"Content-Length: -1\r\n\r\n",
        OK + b"Content-Length: 1_0\r\n\r\n0123456789",
        OK + "Content-Length: ²\r\n\r\nab".encode("latin-1"),
        OK + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n",
        OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        CHUNKED + b"-1\r\n\r\n",
        CHUNKED + b"0x1\r\na\r\n0\r\n\r\n",
        CHUNKED + b"1\r\nab\r\n0\r\n\r\n",
        CHUNKED + b"5\r\nab",
        CHUNKED + b"0\r\n",
        CHUNKED + b"1" * 100_000,
        CHUNKED + b"0\r\n" + b"a: b\r\n" * 1000 + b"\r\n",
    ],
)
def test_what_is_no_response_is_an_error(stream):
    with pytest.raises(http.client.HTTPException):
        read(stream)


def test_what_does_not_begin_like_a_response_is_not_waited_for():
    def receive():
        return next(came)

    came = iter([b"SS", b"H-2.0-OpenSSH_9.9\r\n"])
    with pytest.raises(http.client.BadStatusLine):
        read_answer(receive)


def test_an_end_before_an_answer_is_a_lost_connection():
    with pytest.raises(http.client.RemoteDisconnected):
        read()


@pytest.mark.parametrize("framing", [b"Content-Length: 243\r\n", b"Transfer-Encoding: chunked\r\n", b""])
def test_an_answer_to_head_ends_with_its_head(framing: bytes) -> None:
    came = iter([b"HTTP/1.1 404 Not Found\r\n" + framing + b"\r\n"])
    answer = read_answer(lambda: next(came), is_to_head=True)
    assert (answer.status, answer.body, answer.is_last) == (404, b"", False)
