"""Signed uploads over one keep-alive connection, made ready before the clock runs."""

from __future__ import annotations

import hashlib
import socket
import time
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime

from authz.sigv4.signing import sign_headers

from .server import BUCKET, Server

_BLOCK_BYTES = 256 * 1024
UNSIGNED = "UNSIGNED-PAYLOAD"


class UploadRefused(Exception):
    """An upload of a benchmark was not answered with 200."""


def put_request(server: Server, body: bytes, *, is_body_signed: bool = True) -> bytes:
    """A PutObject with a key of its own, as it goes over the wire."""
    path = f"/{BUCKET}/bench/{uuid.uuid4().hex}"
    host = f"{server.host}:{server.port}"
    length = str(len(body))
    signed = sign_headers(
        method="PUT",
        encoded_path=path,
        query=(),
        headers={"host": host, "content-length": length},
        payload_hash=hashlib.sha256(body).hexdigest() if is_body_signed else UNSIGNED,
        access_key=server.access_key_id,
        secret_key=server.secret_access_key,
        session_token=None,
        region="us-east-1",
        now=datetime.now(UTC),
    )
    lines = [f"PUT {path} HTTP/1.1", f"host: {host}", f"content-length: {length}"]
    lines += [f"{name}: {value}" for name, value in signed.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


@contextmanager
def connection_to(server: Server) -> Iterator[socket.socket]:
    with socket.create_connection((server.host, server.port), timeout=60) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        yield connection


def send_all(connection: socket.socket, requests: Iterable[bytes]) -> Sequence[float]:
    """Send one after the other; the seconds of each until its answer. Raises UploadRefused, OSError."""
    took = []
    for request in requests:
        began = time.perf_counter()
        connection.sendall(request)
        answer = _head(connection)
        took.append(time.perf_counter() - began)
        if not answer.startswith(b"HTTP/1.1 200"):
            raise UploadRefused(answer.decode("latin-1"))
    return took


def _head(connection: socket.socket) -> bytes:
    """An answer to a PutObject has no body."""
    answer = b""
    while b"\r\n\r\n" not in answer:
        block = connection.recv(_BLOCK_BYTES)
        if not block:
            raise UploadRefused(answer.decode("latin-1") or "the connection was closed")
        answer += block
    return answer
