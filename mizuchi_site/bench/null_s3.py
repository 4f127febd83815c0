"""An S3 service that drops what it takes: for measuring what is before it, in a process of its own.

It knows what a gateway asks for: PutObject, multipart uploads, ListParts, HeadBucket. Nothing is verified, no
signature looked at, and every ETag is of the right form and means nothing.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from urllib.parse import parse_qs, urlsplit

from .spawned import spawned
from .wire import content_length, read_head, without_delay

BLOCK_BYTES = 1024 * 1024
_SLOW_BLOCK_BYTES = 64 * 1024
ETAG = f'"{"0" * 32}"'
_parts: dict[str, dict[int, int]] = {}


@contextmanager
def running_null_s3(*, bytes_per_second: int = 0) -> Iterator[str]:
    """Its endpoint; 0 bytes a second is as fast as it can (for each connection)."""
    with spawned(_serve, bytes_per_second) as pipe:
        yield f"http://127.0.0.1:{pipe.recv()}"


def null_storage(endpoint: str) -> dict[str, str]:
    """The configuration of a storage that leads to it."""
    keys = {"access_key": "AKNULL", "secret_key": "null-secret"}
    return {"backend": "s3", "endpoint": endpoint, "region": "us-east-1", **keys}


def _serve(pipe: Connection, bytes_per_second: int) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as listener:
        pipe.send(listener.getsockname()[1])
        while True:
            sock, _ = listener.accept()
            threading.Thread(target=_converse, args=(sock, bytes_per_second), daemon=True).start()


def _converse(sock: socket.socket, bytes_per_second: int) -> None:
    if bytes_per_second:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _SLOW_BLOCK_BYTES)
    without_delay(sock)
    buffer = bytearray(BLOCK_BYTES)
    pending = b""
    with suppress(OSError), sock:
        while True:
            head, pending = read_head(sock, pending)
            length = content_length(head)
            _drop(sock, buffer, length - len(pending), bytes_per_second)
            pending = pending[length:]
            sock.sendall(answer(head.decode("latin-1"), length))


def _drop(sock: socket.socket, buffer: bytearray, remaining: int, bytes_per_second: int) -> None:
    """With MSG_TRUNC the kernel drops the bytes itself, see tcp(7)."""
    most = _SLOW_BLOCK_BYTES if bytes_per_second else BLOCK_BYTES
    while remaining > 0:
        count = sock.recv_into(buffer, min(remaining, most), socket.MSG_TRUNC)
        if not count:
            raise ConnectionResetError
        remaining -= count
        if bytes_per_second:
            time.sleep(count / bytes_per_second)


def answer(head: str, length: int) -> bytes:
    """What is answered to a request with that head and so many bytes of body, the whole response."""
    method, target, _ = head.split("\r\n", 1)[0].split(" ")
    query = {name: values[0] for name, values in parse_qs(urlsplit(target).query, True).items()}
    document = _document(method, query, length)
    status = "204 No Content" if method == "DELETE" else "200 OK"
    return f"HTTP/1.1 {status}\r\nETag: {ETAG}\r\nContent-Length: {len(document)}\r\n\r\n{document}".encode()


def _document(method: str, query: dict[str, str], length: int) -> str:
    upload_id = query.get("uploadId", "")
    if method == "POST" and "uploads" in query:
        upload_id = f"upload-{len(_parts)}-{time.monotonic_ns()}"
        _parts[upload_id] = {}
        return (
            f"<InitiateMultipartUploadResult><UploadId>{upload_id}</UploadId></InitiateMultipartUploadResult>"
        )
    if method == "PUT" and upload_id:
        _parts[upload_id][int(query["partNumber"])] = length
    if method == "GET":
        return _listing(upload_id)
    if method == "POST":
        return f"<CompleteMultipartUploadResult><ETag>{ETAG}</ETag></CompleteMultipartUploadResult>"
    return ""


def _listing(upload_id: str) -> str:
    parts = "".join(
        f"<Part><PartNumber>{number}</PartNumber><ETag>{ETAG}</ETag><Size>{size}</Size>"
        "<LastModified>2026-01-01T00:00:00.000Z</LastModified></Part>"
        for number, size in sorted(_parts[upload_id].items())
    )
    return f"<ListPartsResult><IsTruncated>false</IsTruncated>{parts}</ListPartsResult>"
