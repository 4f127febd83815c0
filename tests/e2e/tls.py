"""A TLS end before a plain server, as a reverse proxy is: bytes pass through unchanged."""

from __future__ import annotations

import socket
import socketserver
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

CHUNK_BYTES = 64 * 1024


def make_certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that signs itself, and its key."""
    certificate, key = folder / "tls.crt", folder / "tls.key"
    options = "-x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1"
    subprocess.run(
        ["openssl", "req", *options.split(), "-out", certificate, "-keyout", key],
        check=True,
        capture_output=True,
    )
    return certificate, key


@contextmanager
def tls_before(port: int, certificate: Path, key: Path) -> Iterator[int]:
    """Listens with TLS and passes everything to ``port``; gives the port it listens on."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)

    class Relay(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with (
                suppress(OSError),
                context.wrap_socket(self.request, server_side=True) as near,
                socket.create_connection(("127.0.0.1", port)) as far,
            ):
                answers = threading.Thread(target=pump, args=(far, near), daemon=True)
                answers.start()
                pump(near, far)
                answers.join()

    server = Server(("127.0.0.1", 0), Relay)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    server_address: Any


def pump(source: socket.socket, sink: socket.socket) -> None:
    """Until the source ends; then the sink is told so."""
    with suppress(OSError):
        while data := source.recv(CHUNK_BYTES):
            sink.sendall(data)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_RDWR)
