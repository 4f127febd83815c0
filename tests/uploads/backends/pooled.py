"""A pool of connections to a scripted upstream, and requests to go over it."""

from __future__ import annotations

import ssl
from contextlib import contextmanager

from uploads.backends.s3_channel import Origin, Timeouts
from uploads.backends.s3_pool import ConnectionPool
from uploads.backends.s3_wire import Outgoing

MIB = 1024 * 1024
SECONDS = 0.5


def request(length: int, *, is_repeatable: bool = True) -> Outgoing:
    head = f"PUT /b/k HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n".encode()
    return Outgoing(head, length, is_repeatable)


@contextmanager
def pool_of(size: int = 4, connect_seconds: float = SECONDS, read_seconds: float = SECONDS, tls=None):
    pool = ConnectionPool(size, Timeouts(connect_seconds, read_seconds), tls or ssl.create_default_context())
    yield pool
    pool.close()


def put(pool, server, *blocks: bytes, length: int | None = None, is_repeatable: bool = True):
    size = sum(map(len, blocks)) if length is None else length
    origin = Origin(is_tls=False, host="127.0.0.1", port=server.port)
    return pool.exchange(origin, request(size, is_repeatable=is_repeatable), iter(blocks))
