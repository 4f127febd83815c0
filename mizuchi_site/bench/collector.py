"""A collector of a benchmark's own: OTLP over HTTP, in a process that nothing is measured in."""

from __future__ import annotations

import multiprocessing
import socketserver
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from multiprocessing.connection import Connection

_EMPTY_ANSWER = b""  # an ExportTraceServiceResponse that has nothing to say


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Type", "application/x-protobuf")
        self.send_header("Content-Length", str(len(_EMPTY_ANSWER)))
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Nothing is logged."""


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True


def _serve(port: Connection) -> None:
    with _Server(("127.0.0.1", 0), _Handler) as server:
        port.send(server.server_address[1])
        server.serve_forever()


@contextmanager
def running_collector() -> Iterator[str]:
    """The endpoint of a collector that takes everything and keeps nothing."""
    spawned = multiprocessing.get_context("spawn")
    ours, theirs = spawned.Pipe()
    process = spawned.Process(target=_serve, args=(theirs,), daemon=True)
    process.start()
    try:
        yield f"http://127.0.0.1:{ours.recv()}"
    finally:
        process.kill()
        process.join()
