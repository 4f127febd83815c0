"""An S3 server that drops what it takes: for measuring what is before it. A process of its own, since it
would share the interpreter lock with the test; ``bytes_per_second`` makes it a slow one.

It knows what a gateway asks for: PutObject, multipart uploads, ListParts, HeadBucket. Nothing is verified, no
signature looked at, and every ETag is of the right form and means nothing.
"""

from __future__ import annotations

import re
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from .process import free_ports, running_server

BLOCK_BYTES = 1024 * 1024
ETAG = f'"{"0" * 32}"'
_parts: dict[str, dict[int, int]] = {}


@contextmanager
def running_null_s3(folder: Path, *, bytes_per_second: int = 0) -> Iterator[str]:
    """The endpoint of a running server; 0 bytes a second is as fast as it can (for each connection)."""
    (port,) = free_ports(1)

    def is_ready() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    with running_server(
        [sys.executable, "-m", __name__, str(port), str(bytes_per_second)],
        log=folder / "null_s3.log",
        is_ready=is_ready,
        environment={"PYTHONPATH": str(Path(__file__).parents[2])},
        stop_seconds=1,
    ):
        yield f"http://127.0.0.1:{port}"


def serve(port: int, bytes_per_second: int) -> None:
    with socket.create_server(("127.0.0.1", port), backlog=256) as listener:
        while True:
            sock, _ = listener.accept()
            threading.Thread(target=_converse, args=(sock, bytes_per_second), daemon=True).start()


def _converse(sock: socket.socket, bytes_per_second: int) -> None:
    if bytes_per_second:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 * 1024)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    buffer = bytearray(BLOCK_BYTES)
    pending = b""
    with suppress(OSError), sock:
        while True:
            while b"\r\n\r\n" not in pending:
                if not (data := sock.recv(64 * 1024)):
                    return
                pending += data
            head, _, pending = pending.partition(b"\r\n\r\n")
            length = int((re.search(rb"(?i)content-length: *(\d+)", head) or [0, 0])[1])
            _drop(sock, buffer, length - len(pending), bytes_per_second)
            pending = pending[length:]
            sock.sendall(answer(head.decode("latin-1"), length))


def _drop(sock: socket.socket, buffer: bytearray, remaining: int, bytes_per_second: int) -> None:
    while remaining > 0:
        count = sock.recv_into(buffer, min(remaining, 64 * 1024 if bytes_per_second else BLOCK_BYTES))
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


if __name__ == "__main__":
    serve(int(sys.argv[1]), int(sys.argv[2]))
