"""Signed uploads as they go over the wire, made ready before the clock runs, and how they are sent."""

from __future__ import annotations

import hashlib
import socket
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime

from authz.sigv4.signing import sign_headers

from .failures import BenchmarkFailed
from .server import BUCKET, Server
from .wire import read_body, read_head, without_delay

REGION = "us-east-1"
UNSIGNED = "UNSIGNED-PAYLOAD"


class UploadRefused(BenchmarkFailed):
    """An upload of a benchmark was not answered with success."""


def put_request(server: Server, body: bytes) -> bytes:
    """A whole PutObject with a key of its own, its body signed."""
    headers = {"content-length": str(len(body))}
    path, digest = own_path(), hashlib.sha256(body).hexdigest()
    return request_head("PUT", path, signed(server, path, headers, digest)) + body


def own_path() -> str:
    """The path of an object that nobody else has."""
    return f"/{BUCKET}/bench/{uuid.uuid4().hex}"


def signed(
    server: Server,
    path: str,
    headers: Mapping[str, str],
    payload_hash: str,
    *,
    method: str = "PUT",
    query: Sequence[tuple[str, str]] = (),
) -> dict[str, str]:
    """The headers of a request, and those that sign them; ``query`` holds decoded pairs."""
    headers = {"host": f"{server.host}:{server.port}", **headers}
    return headers | sign_headers(
        method=method,
        encoded_path=path,
        query=query,
        headers=headers,
        payload_hash=payload_hash,
        access_key=server.access_key_id,
        secret_key=server.secret_access_key,
        session_token=None,
        region=REGION,
        now=datetime.now(UTC),
    )


def request_head(method: str, path: str, headers: Mapping[str, str]) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode()


@contextmanager
def connection_to(server: Server) -> Iterator[socket.socket]:
    with socket.create_connection((server.host, server.port), timeout=60) as connection:
        without_delay(connection)
        yield connection


def send_all(connection: socket.socket, requests: Iterable[bytes]) -> Sequence[float]:
    """Send one after the other; the seconds of each until its answer. Raises UploadRefused, OSError."""
    took = []
    for request in requests:
        began = time.perf_counter()
        connection.sendall(request)
        receive_answer(connection)
        took.append(time.perf_counter() - began)
    return took


def receive_answer(connection: socket.socket) -> None:
    """Raises UploadRefused for any but a success, OSError."""
    head, rest = read_head(connection)
    if head[9:10] != b"2":
        raise UploadRefused(head.decode("latin-1") + "\n" + read_body(connection, head, rest)[0].decode())
