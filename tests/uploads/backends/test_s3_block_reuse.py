"""A body's blocks share their memory: each is sent, and sent again, before the next is asked for."""

from __future__ import annotations

import signal
import time

import pytest

from tests.servers.scripted import scripted_server
from tests.uploads.backends.pooled import MIB, pool_of, put, request
from uploads.backends.s3_channel import Origin


def in_one_buffer(*contents: bytes):
    """Blocks as a body hands them on: each is overwritten when the next, or the end, is asked for."""
    buffer = bytearray(max(map(len, contents)))
    for content in contents:
        buffer[: len(content)] = content
        yield memoryview(buffer)[: len(content)]
        buffer[:] = bytes(len(buffer))


@pytest.mark.parametrize("sizes", [(1024,), (MIB,), (MIB, MIB, 7)], ids=["small", "large", "many"])
def test_a_block_is_sent_before_the_next_is_asked_for(sizes):
    arrived = []

    def script(peer, number):
        arrived.append(peer.read_request()[1])
        peer.answer()

    contents = [bytes([65 + index]) * size for index, size in enumerate(sizes)]
    with scripted_server(script) as server, pool_of(read_seconds=5) as pool:
        origin = Origin(is_tls=False, host="127.0.0.1", port=server.port)
        pool.exchange(origin, request(sum(sizes)), in_one_buffer(*contents))
    assert arrived == [b"".join(contents)]


@pytest.mark.parametrize("size", [1024, MIB], ids=["small", "large"])
def test_a_block_that_is_sent_again_is_what_it_was(size):
    arrived = []

    def script(peer, number):
        arrived.append(peer.read_request()[1])
        peer.answer()
        if number == 1:
            peer.read_request()
            peer.reset()

    with scripted_server(script) as server, pool_of(read_seconds=5) as pool:
        put(pool, server, b"x")
        origin = Origin(is_tls=False, host="127.0.0.1", port=server.port)
        pool.exchange(origin, request(size), in_one_buffer(b"y" * size))
    assert arrived == [b"x", b"y" * size]


def test_a_signal_in_the_middle_of_a_send_loses_nothing():
    arrived, signals = [], []

    def script(peer, number):
        head = peer.read_head()
        time.sleep(0.3)
        arrived.append((head, peer.read_body(32 * MIB)))
        peer.answer()

    before = signal.signal(signal.SIGALRM, lambda *_: signals.append(1))
    signal.setitimer(signal.ITIMER_REAL, 0.05, 0.05)
    try:
        with scripted_server(script) as server, pool_of(read_seconds=5) as pool:
            put(pool, server, bytes(range(256)) * 4096 * 32)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert signals
    assert arrived[0][1] == bytes(range(256)) * 4096 * 32
