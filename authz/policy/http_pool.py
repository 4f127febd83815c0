"""JSON over kept-alive HTTP connections to one policy engine.

Stricter than a general client: one deadline holds for a whole exchange however slowly the peer drips,
redirects are answers like others, and an answer has a greatest size. Two thirds of the CPU of urllib3's pool.
"""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from urllib.parse import urlsplit

from tracing_app.api import inject_context
from tracing_app.deadline_http import Deadline, DeadlineConnection

from .base import EngineFailure

MAX_ANSWER_BYTES = 64 * 1024
_MAX_IDLE = 32
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """A whole response."""

    status: int
    body: bytes


@dataclass(frozen=True, slots=True)
class _Exchange:
    target: str
    body: bytes
    headers: Mapping[str, str]
    deadline: Deadline


class HttpPool:
    """Connections to one URL. Thread-safe; as many are open as threads ask at once, 32 stay when idle."""

    def __init__(
        self, url: str, *, timeout_seconds: float, token: str | None = None, ca_file: Path | None = None
    ) -> None:
        parts = urlsplit(url)
        self.host = parts.hostname or ""
        self.port = parts.port or _PORTS[parts.scheme]
        self._base_path = parts.path.rstrip("/")
        self._context = ssl.create_default_context(cafile=ca_file) if parts.scheme == "https" else None
        self._timeout_seconds = timeout_seconds
        self._headers = {"Content-Type": "application/json", "User-Agent": "mizuchi-uploadr"}
        if token is not None:
            self._headers["Authorization"] = f"Bearer {token}"
        self._idle: list[DeadlineConnection] = []
        self._keeping = threading.Lock()

    def post(self, path: str, body: bytes) -> HttpAnswer:
        """The answer, whatever its status. The trace under way goes along. Raises EngineFailure.

        A question changes nothing, so it is asked once more when its connection broke before the answer.
        """
        headers = dict(self._headers)
        inject_context(headers, self.host, self.port)
        exchange = _Exchange(self._base_path + path, body, headers, Deadline(self._timeout_seconds))
        try:
            try:
                return self._converse(self._take(), exchange)
            except ConnectionRefusedError:
                raise
            except ConnectionError:
                return self._converse(self._new(), exchange)
        except (OSError, HTTPException, ValueError) as error:
            raise self._failure(error) from error

    def close(self) -> None:
        """Close the idle connections."""
        while self._idle:
            self._idle.pop().discard()

    def _converse(self, connection: DeadlineConnection, exchange: _Exchange) -> HttpAnswer:
        is_reusable = False
        try:
            connection.deadline = exchange.deadline
            connection.request("POST", exchange.target, exchange.body, exchange.headers)
            response = connection.getresponse()
            content = response.read(MAX_ANSWER_BYTES + 1)
            if len(content) > MAX_ANSWER_BYTES:
                raise EngineFailure("answer_too_large", "the answer is over 64 KiB", is_outage=False)
            if response.length:
                raise ConnectionResetError("the answer was cut off")
            is_reusable = response.isclosed() and not response.will_close
            return HttpAnswer(response.status, content)
        finally:
            if not (is_reusable and self._keep(connection)):
                connection.discard()

    def _keep(self, connection: DeadlineConnection) -> bool:
        """Whether there is room for it among the idle ones, where it is then."""
        with self._keeping:
            has_room = len(self._idle) < _MAX_IDLE
            if has_room:
                self._idle.append(connection)
            return has_room

    def _take(self) -> DeadlineConnection:
        """The connection used last, the likeliest to live; or a new one."""
        while True:
            try:
                connection = self._idle.pop()
            except IndexError:
                return self._new()
            if not connection.is_stale():
                return connection
            connection.discard()

    def _new(self) -> DeadlineConnection:
        return DeadlineConnection(self.host, self.port, self._context)

    def _failure(self, error: Exception) -> EngineFailure:
        """The kind of failure, in an operator's words. First match wins."""
        where = f"{self.host}:{self.port}"
        match error:
            case ssl.SSLCertVerificationError():
                code, detail = "tls", f"the certificate of {where} is not trusted: {error.verify_message}"
            case ssl.SSLError():
                code, detail = "tls", f"TLS with {where} failed: {error.reason or 'no reason given'}"
            case socket.gaierror():
                code, detail = "dns", f"{self.host} does not resolve"
            case TimeoutError():
                code, detail = "timeout", f"no answer from {where} within {self._timeout_seconds:g} s"
            case ConnectionRefusedError():
                code, detail = "connection_refused", f"{where} refuses connections"
            case HTTPException() | ValueError() if not isinstance(error, OSError):
                code, detail = "not_http", f"{where} does not answer as an HTTP server does"
            case _:
                code, detail = "connection", f"the connection to {where} broke"
        return EngineFailure(code, detail, is_outage=True)
