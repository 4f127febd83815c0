"""The connections to an S3 upstream when it, or the network, misbehaves."""

from __future__ import annotations

import http.client
import ssl
import threading
import time

import pytest

from tests.servers.scripted import scripted_server
from tests.uploads.backends.pooled import MIB, SECONDS, pool_of, put, request
from uploads.backends.s3_channel import Origin
from uploads.backends.s3_pool import NoConnectionFree
from uploads.backends.s3_wire import WireFailure

KIB_BLOCK = b"k" * 1024


def serve(peer, number):
    """A well-behaved server."""
    while True:
        head, _ = peer.read_request()
        if not head:
            return
        peer.answer()


# -- reuse ------------------------------------------------------------------------------------------------


def test_connections_are_kept():
    with scripted_server(serve) as server, pool_of() as pool:
        for _ in range(5):
            assert put(pool, server, b"first", b"second").status == 200
        assert server.connections == 1


def test_an_answer_has_status_headers_and_body():
    def script(peer, number):
        peer.read_request()
        peer.answer("404 Not Found", "X-Amz-Request-Id: 7\r\n", b"<Error/>")

    with scripted_server(script) as server, pool_of() as pool:
        answer = put(pool, server, b"x")
    assert (answer.status, answer.headers["x-amz-request-id"], answer.body) == (404, "7", b"<Error/>")


@pytest.mark.parametrize(
    "blocks",
    [(), (b"x",), (b"x" * MIB,), (b"a" * 10, b"b" * MIB, b"c")],
    ids=["none", "small", "large", "many"],
)
def test_the_body_arrives(blocks):
    arrived = []

    def script(peer, number):
        arrived.append(peer.read_request()[1])
        peer.answer()

    with scripted_server(script) as server, pool_of() as pool:
        put(pool, server, *blocks)
    assert arrived == [b"".join(blocks)]


def close_after_answer(peer, number):
    peer.read_request()
    peer.answer()


def test_a_connection_that_the_server_closed_is_not_used():
    with scripted_server(close_after_answer) as server, pool_of() as pool:
        for count in range(1, 4):
            put(pool, server, b"x", is_repeatable=False)
            time.sleep(0.05)
            assert server.connections == count


def vanish_at_the_second_request(peer, number):
    peer.read_request()
    peer.answer()
    if number > 1:
        return
    peer.read_head()
    peer.reset()


@pytest.mark.parametrize("blocks", [(b"x",), (b"x" * MIB,)], ids=["small", "large"])
def test_a_kept_connection_that_drops_the_first_block_is_replaced(blocks):
    with scripted_server(vanish_at_the_second_request) as server, pool_of() as pool:
        put(pool, server, b"x")
        assert put(pool, server, *blocks).status == 200
        assert server.connections == 2


def test_a_whole_conditional_request_is_not_sent_twice():
    with scripted_server(vanish_at_the_second_request) as server, pool_of() as pool:
        put(pool, server, b"x")
        with pytest.raises(WireFailure) as caught:
            put(pool, server, b"x", is_repeatable=False)
        assert caught.value.is_lost
        assert server.connections == 1


def test_a_body_that_went_on_is_not_sent_twice():
    def script(peer, number):
        peer.read_request()
        peer.answer()
        peer.read_head()
        peer.read_body(2 * len(KIB_BLOCK))
        peer.reset()

    with scripted_server(script) as server, pool_of() as pool:
        put(pool, server, b"x")
        with pytest.raises(WireFailure) as caught:
            put(pool, server, KIB_BLOCK, KIB_BLOCK, KIB_BLOCK)
        assert caught.value.is_lost
        assert server.connections == 1


def test_a_fresh_connection_that_drops_is_not_tried_again():
    def script(peer, number):
        peer.read_head()
        peer.reset()

    with scripted_server(script) as server, pool_of() as pool:
        with pytest.raises(WireFailure) as caught:
            put(pool, server, b"x")
        assert caught.value.is_lost
        assert server.connections == 1


# -- bodies that fail -------------------------------------------------------------------------------------


class BodyError(Exception):
    pass


def test_a_body_that_fails_closes_the_connection_before_the_end():
    arrived = []

    def script(peer, number):
        arrived.append(peer.read_request()[1])

    def blocks():
        yield KIB_BLOCK
        yield KIB_BLOCK
        raise BodyError

    with scripted_server(script) as server, pool_of() as pool:
        origin = Origin(is_tls=False, host="127.0.0.1", port=server.port)
        with pytest.raises(BodyError):
            pool.exchange(origin, request(3 * 1024), blocks())
    assert arrived == [KIB_BLOCK * 2]


def test_a_body_that_fails_at_once_opens_no_connection():
    def blocks():
        raise BodyError
        yield b""

    with scripted_server(serve) as server, pool_of() as pool:
        with pytest.raises(BodyError):
            pool.exchange(Origin(is_tls=False, host="127.0.0.1", port=server.port), request(9), blocks())
        assert server.connections == 0


def test_a_connection_error_of_the_body_is_the_bodys():
    def blocks():
        yield KIB_BLOCK
        raise ConnectionResetError("the client went away")

    with scripted_server(serve) as server, pool_of() as pool:
        put(pool, server, b"x")
        with pytest.raises(ConnectionResetError, match="the client"):
            pool.exchange(Origin(is_tls=False, host="127.0.0.1", port=server.port), request(2048), blocks())
        assert server.connections == 1


@pytest.mark.parametrize(
    ("blocks", "length"),
    [((b"abc",), 4), ((b"abc", b"d"), 5), ((b"abc", b"de"), 4), ((b"abc", b"d"), 3), ((b"abcd",), 3)],
    ids=["short", "short in two", "long in two", "a block too many", "long"],
)
def test_a_body_of_another_length_than_promised_is_an_error(blocks, length):
    with scripted_server(serve) as server, pool_of() as pool:
        with pytest.raises(ValueError, match="promised"):
            put(pool, server, *blocks, length=length)
        assert put(pool, server, b"next").status == 200
        assert server.connections == 2


# -- early answers ----------------------------------------------------------------------------------------

LARGE = (b"x" * MIB,) * 64


def test_an_answer_before_the_end_of_the_body_is_heard():
    def script(peer, number):
        peer.read_head()
        peer.answer("403 Forbidden", "", b"<Error><Code>AccessDenied</Code></Error>")
        peer.read_body(64 * MIB)

    pulled = []

    def blocks():
        for block in LARGE:
            pulled.append(1)
            yield block
            time.sleep(0.005)

    with scripted_server(script) as server, pool_of() as pool:
        origin = Origin(is_tls=False, host="127.0.0.1", port=server.port)
        answer = pool.exchange(origin, request(64 * MIB), blocks())
        assert answer.status == 403
        assert b"AccessDenied" in answer.body
        assert len(pulled) < 64
        put(pool, server, b"x")
        assert server.connections == 2


def test_an_answer_before_a_close_is_heard():
    def script(peer, number):
        peer.read_head()
        peer.answer("403 Forbidden", "", b"refused")

    with scripted_server(script) as server, pool_of() as pool:
        answer = put(pool, server, *LARGE)
    assert (answer.status, answer.body) == (403, b"refused")


def test_a_success_before_the_end_of_the_body_is_a_failure():
    def script(peer, number):
        peer.read_head()
        peer.answer()
        peer.read_body(64 * MIB)

    with scripted_server(script) as server, pool_of() as pool, pytest.raises(WireFailure, match="before"):
        put(pool, server, *LARGE)


def test_a_reset_in_the_middle_is_a_failure():
    def script(peer, number):
        peer.read_head()
        peer.read_body(MIB)
        peer.reset()

    with scripted_server(script) as server, pool_of() as pool:
        with pytest.raises(WireFailure) as caught:
            put(pool, server, *LARGE)
        assert caught.value.is_lost
        assert server.connections == 1


# -- what never answers, or not in HTTP -------------------------------------------------------------------


def silent(peer, number):
    peer.read_request()
    peer.read_head()


def drip(peer, number):
    peer.read_request()
    for byte in b"HTTP/1.1 200 OK\r\nETag: x\r\n" * 100:
        peer.sock.sendall(bytes([byte]))
        time.sleep(0.05)


def no_reader(peer, number):
    time.sleep(3 * SECONDS)


@pytest.mark.parametrize(
    ("script", "blocks"),
    [(silent, (b"x",)), (silent, (b"x", b"y")), (drip, (b"x",)), (no_reader, LARGE)],
    ids=["silent", "silent after two blocks", "a byte now and then", "reads nothing"],
)
def test_it_ends_in_time(script, blocks):
    with scripted_server(script) as server, pool_of() as pool:
        began = time.monotonic()
        with pytest.raises(WireFailure) as caught:
            put(pool, server, *blocks)
        assert time.monotonic() - began < 3 * SECONDS
        assert isinstance(caught.value.cause, TimeoutError)
        assert not caught.value.is_lost


@pytest.mark.parametrize(
    "answer",
    [
        b"SSH-2.0-OpenSSH_9.9\r\n",
        b"\x16\x03\x01\x00\xff" * 10,
        b"HTTP/1.1 abc\r\n\r\n",
        b"HTTP/9.9 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X-Y: z\r\n" * 1000 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzzz\r\n",
        b"",
    ],
    ids=["ssh", "tls", "no status", "version", "many headers", "long header", "bad chunk", "nothing"],
)
def test_garbage_is_a_failure_and_the_connection_is_dropped(answer):
    def script(peer, number):
        if number > 1:
            return serve(peer, number)
        peer.read_request()
        peer.sock.sendall(answer)

    with scripted_server(script) as server, pool_of() as pool:
        with pytest.raises(WireFailure):
            put(pool, server, b"x")
        assert put(pool, server, b"x").status == 200
        assert server.connections == 2


@pytest.mark.parametrize(
    "headers",
    [
        "Connection: close\r\nContent-Length: 0\r\n",
        "",
        "Content-Length: 9\r\n",
        "Content-Length: 4000000\r\n",
    ],
    ids=["said so", "without a length", "cut short", "too long to read"],
)
def test_a_connection_that_cannot_be_reused_is_not(headers):
    def script(peer, number):
        peer.read_request()
        peer.sock.sendall(f"HTTP/1.1 500 Oops\r\n{headers}\r\n".encode())
        if "4000000" in headers:
            peer.sock.sendall(b"x" * 4_000_000)

    with scripted_server(script) as server, pool_of() as pool:
        for count in (1, 2):
            assert put(pool, server, b"x", is_repeatable=False).status == 500
            assert server.connections == count


def test_what_is_left_over_is_not_taken_for_the_next_answer():
    def script(peer, number):
        peer.read_request()
        peer.answer()
        peer.answer("403 Forbidden")
        serve(peer, number)

    with scripted_server(script) as server, pool_of() as pool:
        put(pool, server, b"x")
        time.sleep(0.05)
        assert put(pool, server, b"x").status == 200


def test_nobody_listens():
    with pool_of() as pool, pytest.raises(WireFailure) as caught:
        pool.exchange(Origin(is_tls=False, host="127.0.0.1", port=1), request(1), iter([b"x"]))
    assert isinstance(caught.value.cause, ConnectionRefusedError)


def test_a_server_that_speaks_no_tls_is_a_failure():
    def script(peer, number):
        peer.sock.recv(1000)
        peer.sock.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with scripted_server(script) as server, pool_of() as pool, pytest.raises(WireFailure) as caught:
        pool.exchange(Origin(is_tls=True, host="127.0.0.1", port=server.port), request(1), iter([b"x"]))
    assert isinstance(caught.value.cause, ssl.SSLError)


def test_a_tls_handshake_ends_in_time():
    with scripted_server(silent) as server, pool_of() as pool, pytest.raises(WireFailure) as caught:
        pool.exchange(Origin(is_tls=True, host="127.0.0.1", port=server.port), request(1), iter([b"x"]))
    assert isinstance(caught.value.cause, TimeoutError)


# -- the bound --------------------------------------------------------------------------------------------


def test_no_more_connections_than_allowed():
    proceed = threading.Event()

    def script(peer, number):
        while peer.read_request()[0]:
            proceed.wait(5)
            peer.answer()

    with scripted_server(script) as server, pool_of(size=2, connect_seconds=5, read_seconds=5) as pool:
        threads = [threading.Thread(target=put, args=(pool, server, b"x")) for _ in range(6)]
        for thread in threads:
            thread.start()
        time.sleep(0.2)
        assert server.connections == 2
        proceed.set()
        for thread in threads:
            thread.join()
        assert server.connections == 2


def test_waiting_for_a_connection_ends_in_time():
    proceed = threading.Event()

    def script(peer, number):
        peer.read_request()
        proceed.wait(5)
        peer.answer()

    with scripted_server(script) as server, pool_of(size=1, connect_seconds=0.1, read_seconds=5) as pool:
        holder = threading.Thread(target=put, args=(pool, server, b"x"))
        holder.start()
        time.sleep(0.1)
        with pytest.raises(NoConnectionFree):
            put(pool, server, b"x")
        proceed.set()
        holder.join()


def test_a_failure_gives_its_connection_back():
    def script(peer, number):
        peer.read_head()
        peer.reset()

    with scripted_server(script) as server, pool_of(size=1) as pool:
        for _ in range(3):
            with pytest.raises(WireFailure) as caught:
                put(pool, server, b"x")
            assert not isinstance(caught.value, NoConnectionFree)


def test_what_is_lost():
    assert WireFailure(http.client.RemoteDisconnected("gone")).is_lost
    assert not WireFailure(TimeoutError("slow")).is_lost
