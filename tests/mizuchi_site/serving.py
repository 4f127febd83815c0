"""The real server in a process of its own, with a small application behind it, and raw sockets to it."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """What the tests talk to: one behaviour for each path."""
    from mizuchi_site.server.drain import is_draining
    from uploads.s3.errors import S3Error
    from uploads.wire_source import WireSource

    path = environ["PATH_INFO"]
    if path == "/upload":
        length = int(environ["CONTENT_LENGTH"]) if "CONTENT_LENGTH" in environ else None
        source = WireSource(environ["wsgi.input"], expected_bytes=length)
        try:
            while source.read(65536):
                pass
        except S3Error as error:
            start_response(f"{error.status} X", list(error.headers.items()))
            return [f"{error.code} {source.received_bytes}".encode()]
        start_response("200 OK", [])
        return [f"{os.getpid()} {source.received_bytes}".encode()]
    if path == "/readyz":
        start_response("503 X" if is_draining() else "200 OK", [])
        return [str(os.getpid()).encode()]
    if path == "/environ":
        start_response("200 OK", [("Content-Type", "application/json")])
        return [json.dumps({key: repr(value) for key, value in environ.items()}).encode()]
    if path == "/refuse":
        start_response("403 Forbidden", [("Content-Length", "3")])
        return [b"no\n"]
    if path == "/blocks":
        start_response("200 OK", [])
        return (b"%d," % number for number in range(1000))
    if path == "/lines":
        body = environ["wsgi.input"]
        start_response("200 OK", [])
        return [repr((body.readline(), body.readline(3), body.read(4), body.read())).encode()]
    if path == "/cores":
        start_response("200 OK", [])
        return [json.dumps(sorted(os.sched_getaffinity(0))).encode()]
    if path == "/form":
        start_response("200 OK", [])
        return [environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))]
    raise RuntimeError("no such path")


class Server:
    """A running server; a context manager that kills what remains."""

    def __init__(self, **options: Any) -> None:
        self.log: list[str] = []
        self.process = subprocess.Popen(
            [sys.executable, "-m", __name__, json.dumps(options)],
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        self._reader = threading.Thread(target=self._read_log)
        self._reader.start()

    def __enter__(self) -> Server:
        self.port = int(self.wait_for(r"Listening on http://127\.0\.0\.1:(\d+)"))
        self.wait_for(r"Worker \d+ ready")
        return self

    def __exit__(self, *exc_info: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self._reader.join(10)
        assert self.process.stderr is not None
        self.process.stderr.close()

    def _read_log(self) -> None:
        assert self.process.stderr is not None
        self.log.extend(iter(self.process.stderr.readline, ""))

    def wait_for(self, pattern: str, *, count: int = 1, seconds: float = 15) -> str:
        """The first group of the ``count``-th log line that matches."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            found = [match for line in list(self.log) if (match := re.search(pattern, line))]
            if len(found) >= count:
                match = found[count - 1]
                return match[1] if match.re.groups else match[0]
            time.sleep(0.01)
        raise AssertionError(f"{pattern!r} not logged: {self.log}")

    def connect(self, seconds: float = 10) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=seconds)

    def exchange(self, request: bytes) -> bytes:
        """Send and read until the server closes or the answer is complete."""
        with self.connect() as client:
            client.sendall(request)
            return read_answer(client)

    def get(self, path: str) -> bytes:
        return self.exchange(f"GET {path} HTTP/1.1\r\nHost: h\r\n\r\n".encode())

    def stop(self, number: signal.Signals = signal.SIGTERM, seconds: float = 20) -> tuple[int, float]:
        """Send the signal; the exit code and how long the end took."""
        started = time.monotonic()
        self.process.send_signal(number)
        return self.process.wait(seconds), time.monotonic() - started


def read_answer(client: socket.socket) -> bytes:
    """One answer with a Content-Length or chunked, or whatever comes before the end."""
    answer = b""
    while not _is_complete(answer):
        block = client.recv(65536)
        if not block:
            break
        answer += block
    return answer


def _is_complete(answer: bytes) -> bool:
    head, separator, body = answer.partition(b"\r\n\r\n")
    if not separator or head.startswith(b"HTTP/1.1 100"):
        return False
    length = re.search(rb"content-length: (\d+)", head)
    return len(body) >= int(length[1]) if length else body.endswith(b"0\r\n\r\n")


def head(path: str, length: int | None = None, *extra: str, method: str = "PUT") -> bytes:
    """The head of a request."""
    framing = "Transfer-Encoding: chunked" if length is None else f"Content-Length: {length}"
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: h", framing, *extra, "", ""]).encode()


def main(options: dict[str, Any]) -> int:
    import logging

    from mizuchi_site.server.gateway_server import GatewayServer, ServerOptions
    from mizuchi_site.server.listening import BindAddress

    logging.basicConfig(level="INFO", format="%(name)s %(message)s")
    defaults = {
        "application": "tests.mizuchi_site.serving:application",
        "workers": 1,
        "threads": 16,
        "max_connections": 200,
        "body_stall_seconds": 1.0,
        "drain_seconds": 3.0,
    }
    address = BindAddress.parse(options.pop("bind", "127.0.0.1:0"))
    return GatewayServer(ServerOptions(address=address, **{**defaults, **options})).run()


if __name__ == "__main__":
    sys.exit(main(json.loads(sys.argv[1])))
