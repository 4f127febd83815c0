"""A proxy before a real HTTP server that passes requests on, or misbehaves as a test tells it to."""

from __future__ import annotations

import http.client
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

DRIP_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Pass:
    """The real answer, after ``seconds``."""

    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Hang:
    """No answer at all."""


@dataclass(frozen=True, slots=True)
class Drip:
    """The real answer, a byte now and then; ``head`` drips too."""

    head: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """This in the place of the real answer."""

    status: int = 200
    body: bytes = b""
    location: str = ""


@dataclass(frozen=True, slots=True)
class Raw:
    """Bytes that need not be HTTP, then the end of the connection."""

    data: bytes = b""


@dataclass(frozen=True, slots=True)
class Break:
    """The next ``times`` requests get no answer but the end of their connection; then all is well."""

    times: int = 1


Behaviour = Pass | Hang | Drip | Answer | Raw | Break


@dataclass(frozen=True, slots=True)
class Seen:
    """A request as it came; header names in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class FaultyProxy:
    """Where it listens; what it has seen, on how many connections. ``stop`` and ``start`` keep the port."""

    target: str
    port: int = 0
    behaviour: Behaviour = field(default_factory=Pass)
    seen: list[Seen] = field(default_factory=list)
    connections: int = 0
    released: threading.Event = field(default_factory=threading.Event)
    _server: _Listener | None = None
    _thread: threading.Thread | None = None

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        self.released = threading.Event()
        self._server = _Listener(("127.0.0.1", self.port), type("Handler", (_Handler,), {"proxy": self}))
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    def stop(self) -> None:
        """Refuse connections from now on, and cut those there are."""
        self.released.set()
        if self._server and self._thread:
            self._server.shutdown()
            self._server.server_close()
            self._server.cut()
            self._thread.join()
        self._server = self._thread = None

    def cut_idle(self) -> None:
        """Close the connections that are open, as a server does with idle ones."""
        assert self._server
        self._server.cut()

    def upstream(self, seen: Seen) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection(urlsplit(self.target).netloc, timeout=10)
        try:
            connection.request(seen.method, seen.path, seen.body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()


@contextmanager
def faulty_proxy(target: str) -> Iterator[FaultyProxy]:
    """A proxy before ``target`` (a base URL) that passes everything on until told otherwise."""
    proxy = FaultyProxy(target)
    proxy.start()
    try:
        yield proxy
    finally:
        proxy.stop()


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        self._open: set[socket.socket] = set()
        super().__init__(address, handler)

    def process_request(self, request: socket.socket, client_address: object) -> None:  # type: ignore[override]
        self._open.add(request)
        super().process_request(request, client_address)  # type: ignore[arg-type]

    def cut(self) -> None:
        for sock in self._open:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that goes away is no fault of the proxy."""


class _Handler(BaseHTTPRequestHandler):
    proxy: FaultyProxy
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def setup(self) -> None:
        super().setup()
        self.proxy.connections += 1

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def _serve(self) -> None:
        proxy = self.proxy
        length = int(self.headers.get("Content-Length") or 0)
        headers = {name.lower(): value for name, value in self.headers.items()}
        seen = Seen(self.command, self.path, headers, self.rfile.read(length))
        proxy.seen.append(seen)
        match proxy.behaviour:
            case Pass(seconds):
                proxy.released.wait(seconds)
                self._answer(*proxy.upstream(seen))
            case Hang():
                proxy.released.wait(60)
                self.close_connection = True
            case Drip(head):
                self._drip(*proxy.upstream(seen), head=head)
            case Answer(status, body, location):
                self._answer(status, body, location)
            case Raw(data):
                self.wfile.write(data)
                self.close_connection = True
            case Break(times):
                proxy.behaviour = Break(times - 1) if times > 1 else Pass()
                self.close_connection = True

    def _answer(self, status: int, body: bytes, location: str = "") -> None:
        self.send_response(status)
        if location:
            self.send_header("Location", location)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _drip(self, status: int, body: bytes, *, head: bool) -> None:
        start = f"HTTP/1.1 {status} OK\r\nContent-Length: {len(body)}\r\n".encode()
        if not head:
            self.wfile.write(start)
        for byte in (start if head else b"") + b"\r\n" + body:
            if self.proxy.released.wait(DRIP_SECONDS):
                break
            self.wfile.write(bytes([byte]))
        self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""
