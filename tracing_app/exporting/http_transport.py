"""OTLP over HTTP/protobuf: one POST for one request. Source: OTLP specification, "OTLP/HTTP"."""

from __future__ import annotations

import gzip
import json
import os
import socket
import ssl
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.client import HTTPException
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from tracing_app.deadline_http import Deadline, DeadlineConnection

from .config import OtlpConfig
from .endpoint import Endpoint, parse_endpoint
from .scrubbing import Scrubber
from .signal import TRACES, Signal
from .transport import USER_AGENT, Accepted, Outcome, Permanent, Retryable, read_answer

_RETRYABLE_STATUSES: Final = frozenset({429, 502, 503, 504})
_MAX_ANSWER_BYTES: Final = 64 * 1024


class _Answer(NamedTuple):
    status: int
    headers: Mapping[str, str]
    body: bytes


class HttpTransport:
    """Keeps one connection, of the process that uses it. For one thread at a time."""

    def __init__(self, config: OtlpConfig, signal: Signal = TRACES) -> None:
        self._endpoint = parse_endpoint(
            config.endpoint, "http/protobuf", is_full_url=config.is_full_url, signal=signal
        )
        self._rejected_key = signal.rejected_key
        self._is_gzip = config.is_compressed
        self._headers = {"User-Agent": USER_AGENT} | dict(config.headers)
        self._headers["Content-Type"] = "application/x-protobuf"
        if self._is_gzip:
            self._headers["Content-Encoding"] = "gzip"
        self._ca_file = config.ca_file
        self._scrub = Scrubber(config.headers)
        self._connection: DeadlineConnection | None = None
        self._pid = 0

    def send(self, payload: bytes, deadline_seconds: float) -> Outcome:
        """Post it; see ``Transport``."""
        body = gzip.compress(payload, compresslevel=1) if self._is_gzip else payload
        try:
            answer = self._exchange(body, Deadline(deadline_seconds))
        except (OSError, HTTPException, ValueError) as error:
            self.close()
            return Retryable(self._scrub(_why(error, self._endpoint, deadline_seconds)))
        return self._judge(answer)

    def close(self) -> None:
        """Close the connection."""
        if self._connection:
            self._connection.discard()
        self._connection = None

    def _exchange(self, body: bytes, deadline: Deadline) -> _Answer:
        connection = self._fresh_connection()
        connection.deadline = deadline
        connection.request("POST", self._endpoint.path, body, self._headers)
        response = connection.getresponse()
        headers = {name.lower(): value for name, value in response.headers.items()}
        answer = _Answer(response.status, headers, response.read(_MAX_ANSWER_BYTES))
        if response.will_close or not response.isclosed():
            self.close()
        return answer

    def _fresh_connection(self) -> DeadlineConnection:
        if self._connection and (self._pid != os.getpid() or self._connection.is_stale()):
            self.close()
        if not self._connection:
            context = ssl.create_default_context(cafile=self._ca_file) if self._endpoint.is_tls else None
            self._connection = DeadlineConnection(self._endpoint.host, self._endpoint.port, context)
            self._pid = os.getpid()
        return self._connection

    def _judge(self, answer: _Answer) -> Outcome:
        if answer.status < 300:
            return self._read_success(answer)
        if answer.status < 400:
            return Permanent(
                f"HTTP {answer.status}: redirected to {_target(answer)}, set that as the endpoint"
            )
        reason = f"HTTP {answer.status}"
        if said := self._scrub(_said(answer)):
            reason += f": {said}"
        if answer.status in _RETRYABLE_STATUSES:
            return Retryable(reason, _retry_after(answer.headers.get("retry-after", "")))
        return Permanent(reason)

    def _read_success(self, answer: _Answer) -> Accepted | Permanent:
        if answer.headers.get("content-type", "").startswith("application/json"):
            return _read_json(answer.body, self._rejected_key, self._scrub)
        outcome = read_answer(answer.body)
        if isinstance(outcome, Accepted):
            return Accepted(outcome.rejected_spans, self._scrub(outcome.message))
        return outcome


def _why(error: Exception, endpoint: Endpoint, deadline_seconds: float) -> str:
    """The kind of failure to reach a collector, in an operator's words. First match wins."""
    where = endpoint.authority
    match error:
        case ssl.SSLCertVerificationError():
            return f"TLS: the certificate of {where} is not trusted: {error.verify_message}"
        case ssl.SSLError():
            return f"TLS with {where} failed: {error.reason or 'no reason given'}"
        case socket.gaierror():
            return f"DNS: {endpoint.host} does not resolve"
        case TimeoutError():
            return f"no answer from {where} within {deadline_seconds:.1f} s"
        case ConnectionRefusedError():
            return f"{where} refuses connections"
        case OSError(strerror=str(text)):
            return f"connection to {where}: {text}"
    return f"connection to {where}: {type(error).__name__}"


def _target(answer: _Answer) -> str:
    """The host of a redirect: the rest of a location may hold secrets."""
    try:
        return urlsplit(answer.headers.get("location", "")).netloc.rpartition("@")[2] or "another path"
    except ValueError:
        return "an unreadable location"


def _said(answer: _Answer) -> str:
    if answer.headers.get("content-type", "").startswith("application/x-protobuf"):
        from google.protobuf.message import DecodeError
        from google.rpc.status_pb2 import Status  # type: ignore[import-untyped]

        try:
            return str(Status.FromString(answer.body).message)
        except DecodeError:
            return ""
    return answer.body[:1000].decode("utf-8", "replace")


def _retry_after(value: str) -> float | None:
    """Seconds or a date (RFC 9110, 10.2.3)."""
    if value.strip().isdecimal():
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max((moment - datetime.now(UTC)).total_seconds(), 0.0)


def _read_json(body: bytes, rejected_key: str, scrub: Scrubber) -> Accepted | Permanent:
    """Some collectors answer in JSON whatever they were asked in."""
    try:
        partial = json.loads(body or b"{}").get("partialSuccess") or {}
        return Accepted(
            max(int(partial.get(rejected_key, 0)), 0), scrub(str(partial.get("errorMessage", "")))
        )
    except (ValueError, TypeError, AttributeError):
        return Permanent("answered, but not as an OTLP receiver does: is this the right endpoint?")
