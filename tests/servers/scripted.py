"""A TCP server that does to each connection what a test's script says: for faults no real server has."""

from __future__ import annotations

import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass


class Peer:
    """The server's end of one connection."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self._buffer = bytearray()

    def read_head(self) -> bytes:
        """The next request's head; ``b""`` when the client has gone."""
        while b"\r\n\r\n" not in self._buffer:
            if not self._receive():
                return b""
        head = bytes(self._buffer[: self._buffer.index(b"\r\n\r\n")])
        del self._buffer[: len(head) + 4]
        return head

    def read_body(self, length: int) -> bytes:
        """So many bytes, fewer when the client ends before."""
        while len(self._buffer) < length and self._receive():
            pass
        body = bytes(self._buffer[:length])
        del self._buffer[:length]
        return body

    def read_request(self) -> tuple[bytes, bytes]:
        """A head and its whole body by Content-Length."""
        head = self.read_head()
        return head, self.read_body(content_length(head))

    def answer(self, status: str = "200 OK", headers: str = 'ETag: "e"\r\n', body: bytes = b"") -> None:
        """A whole response."""
        head = f"HTTP/1.1 {status}\r\n{headers}Content-Length: {len(body)}\r\n\r\n"
        self.sock.sendall(head.encode() + body)

    def reset(self) -> None:
        """Close without a goodbye."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def _receive(self) -> bytes:
        data = self.sock.recv(256 * 1024)
        self._buffer += data
        return data


def content_length(head: bytes) -> int:
    """What a request's head says of its body."""
    lines = (line.partition(b":") for line in head.lower().split(b"\r\n"))
    return next((int(value) for name, _, value in lines if name == b"content-length"), 0)


@dataclass
class ScriptedServer:
    """Where it listens, and how many connections it has had."""

    port: int
    connections: int = 0

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def scripted_server(
    script: Callable[[Peer, int], None], *, tls: ssl.SSLContext | None = None
) -> Iterator[ScriptedServer]:
    """Runs ``script(peer, number)`` for each connection, in a thread of its own."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = ScriptedServer(listener.getsockname()[1])
        threads: list[threading.Thread] = []

        def serve(sock: socket.socket, number: int) -> None:
            with suppress(OSError), sock, tls.wrap_socket(sock, server_side=True) if tls else sock as end:
                script(Peer(end), number)

        def accept() -> None:
            while True:
                sock, address = listener.accept()
                if address in last:
                    sock.close()
                    return
                sock.settimeout(10)
                server.connections += 1
                threads.append(threading.Thread(target=serve, args=(sock, server.connections)))
                threads[-1].start()

        last: set[tuple[str, int]] = set()
        acceptor = threading.Thread(target=accept)
        acceptor.start()
        try:
            yield server
        finally:
            # One more connection, behind those that wait to be accepted and are served too.
            with socket.socket() as end:
                end.bind(("127.0.0.1", 0))
                last.add(end.getsockname())
                end.connect(listener.getsockname())
                acceptor.join()
            for thread in threads:
                thread.join()
