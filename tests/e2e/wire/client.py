"""HTTP/1.1 over a bare socket: requests that no library would send, and whatever is answered."""

from __future__ import annotations

import http.client
import re
import socket
import struct
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from xml.etree import ElementTree

TIMEOUT_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Request:
    """One request exactly as it goes out: nothing is added, encoded or checked.

    ``path`` and ``query`` are percent-encoded already, texts are Latin-1.
    """

    method: str
    path: str
    query: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""

    @property
    def target(self) -> str:
        return f"{self.path}?{self.query}" if self.query else self.path

    def header(self, name: str) -> str:
        """The first value of this header, ``""`` without one."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), "")

    def with_headers(self, headers: Mapping[str, str]) -> Request:
        """These headers, each in place of what had its name."""
        kept = self.without_headers(*headers).headers
        return replace(self, headers=(*kept, *headers.items()))

    def without_headers(self, *names: str) -> Request:
        dropped = {name.lower() for name in names}
        return replace(self, headers=tuple(pair for pair in self.headers if pair[0].lower() not in dropped))

    def and_header(self, name: str, value: str) -> Request:
        """One more header, also when there is one of this name."""
        return replace(self, headers=(*self.headers, (name, value)))

    def with_body(self, body: bytes) -> Request:
        """Another body, and its length; what is signed stays as it was."""
        return replace(self, body=body).with_headers({"Content-Length": str(len(body))})

    def with_path(self, path: str) -> Request:
        return replace(self, path=path)

    def with_query(self, query: str) -> Request:
        return replace(self, query=query)

    def head(self) -> bytes:
        lines = [
            f"{self.method} {self.target} HTTP/1.1",
            *(f"{name}: {value}" for name, value in self.headers),
        ]
        return "\r\n".join([*lines, "", ""]).encode("latin-1")


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def text(self, tag: str) -> str:
        """The text of the first XML element of this name, ``""`` without one."""
        return next(iter(self.texts(tag)), "")

    def texts(self, tag: str) -> list[str]:
        root = ElementTree.fromstring(self.body)
        return [e.text or "" for e in root.iter() if e.tag.rpartition("}")[2] == tag]

    @property
    def code(self) -> str:
        """The S3 code of an error document."""
        return self.text("Code") if self.body else ""


class RawConnection:
    """A connection to the gateway."""

    def __init__(self, port: int, source: str = "127.0.0.1") -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), TIMEOUT_SECONDS, (source, 0))

    def send(self, data: bytes) -> None:
        """Send all of it. A server that answered and closed meanwhile is no error: the answer counts."""
        with suppress(BrokenPipeError, ConnectionResetError):
            self.socket.sendall(data)

    def end(self) -> None:
        """Say that nothing more is sent."""
        with suppress(OSError):
            self.socket.shutdown(socket.SHUT_WR)

    def reset(self) -> None:
        """Vanish, as a client does whose machine went down: no orderly end of the connection."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def answer(self, method: str) -> Answer | None:
        """The final answer (100 Continue is passed over); None when the server closed without one."""
        response = http.client.HTTPResponse(self.socket, method=method)
        try:
            response.begin()
            headers = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, headers, response.read())
        except (http.client.BadStatusLine, ConnectionResetError):
            return None
        finally:
            response.close()

    def statuses(self, seconds: float = TIMEOUT_SECONDS) -> list[int]:
        """The statuses of all answers until the server closes, or says nothing for so long."""
        received = b""
        self.socket.settimeout(seconds)
        with suppress(TimeoutError, ConnectionResetError):
            while block := self.socket.recv(65536):
                received += block
        return [int(status) for status in re.findall(rb"^HTTP/1\.1 ([0-9]{3}) ", received, re.MULTILINE)]

    def first_line(self) -> bytes:
        """The status line that comes next; what follows it up to the empty line is taken too."""
        received = b""
        while not received.endswith(b"\r\n\r\n") and (byte := self.socket.recv(1)):
            received += byte
        return received.partition(b"\r\n")[0]


@contextmanager
def connected(port: int, source: str = "127.0.0.1") -> Iterator[RawConnection]:
    connection = RawConnection(port, source)
    try:
        yield connection
    finally:
        connection.socket.close()


def exchange(port: int, request: Request, source: str = "127.0.0.1") -> Answer:
    """Send all of a request and read its answer."""
    with connected(port, source) as connection:
        connection.send(request.head() + request.body)
        answer = connection.answer(request.method)
    assert answer is not None, "the server closed the connection without an answer"
    return answer
