"""One POST to a receiver, with one deadline for all of it. Redirects are answers like others."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPException
from typing import Final

from tracing_app.deadline_http import Deadline, DeadlineConnection

from .config import WebhookConfig

MAX_ANSWER_BYTES: Final = 64 * 1024
"""What a receiver says more is not read."""


class DeliveryFailure(Exception):
    """No answer came. ``code`` is for programs; the text is for operators and holds nothing of the URL but
    its host."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code


@dataclass(frozen=True, slots=True)
class Answer:
    """``retry_after_seconds`` is what the receiver asks for, 0 when it asks for nothing that can be read."""

    status: int
    retry_after_seconds: float
    beginning: bytes

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300


class Transport:
    """A connection to one receiver that is kept while it lasts. For one thread at a time."""

    def __init__(self, webhook: WebhookConfig) -> None:
        self._webhook = webhook
        self._tls = ssl.create_default_context(cafile=webhook.ca_file) if webhook.is_tls else None
        self._connection = self._new()

    def post(self, body: bytes, headers: Mapping[str, str]) -> Answer:
        """The answer, whatever its status. Raises DeliveryFailure.

        A kept connection that the receiver has closed meanwhile is noticed before; one that breaks later may
        have brought the event, so that is a failure like others.
        """
        if self._connection.is_stale():
            self._connection.discard()
            self._connection = self._new()
        is_kept = False
        try:
            self._connection.deadline = Deadline(self._webhook.timeout_seconds)
            self._connection.request("POST", self._webhook.target, body, dict(headers))
            response = self._connection.getresponse()
            beginning = response.read(MAX_ANSWER_BYTES)
            is_kept = response.isclosed() and not response.will_close
            return Answer(response.status, _seconds(response.headers.get("Retry-After", "")), beginning)
        except (OSError, HTTPException, ValueError) as error:
            raise self._failure(error) from error
        finally:
            if not is_kept:
                self._connection.discard()

    def close(self) -> None:
        self._connection.discard()

    def _new(self) -> DeadlineConnection:
        return DeadlineConnection(self._webhook.host, self._webhook.port, self._tls)

    def _failure(self, error: Exception) -> DeliveryFailure:
        """The kind of failure, in an operator's words. First match wins."""
        where = f"{self._webhook.host}:{self._webhook.port}"
        match error:
            case ssl.SSLCertVerificationError():
                return DeliveryFailure("tls", f"the certificate of {where} is not trusted")
            case ssl.SSLError():
                return DeliveryFailure("tls", f"TLS with {where} failed")
            case socket.gaierror():
                return DeliveryFailure("dns", f"{self._webhook.host} does not resolve")
            case TimeoutError():
                seconds = self._webhook.timeout_seconds
                return DeliveryFailure("timeout", f"no answer from {where} within {seconds:g} s")
            case ConnectionRefusedError():
                return DeliveryFailure("connection_refused", f"{where} refuses connections")
            case OSError():
                return DeliveryFailure("connection", f"the connection to {where} broke")
        return DeliveryFailure("not_http", f"{where} does not answer as an HTTP server does")


def _seconds(retry_after: str) -> float:
    """RFC 9110, section 10.2.3, the form in seconds."""
    return float(retry_after) if retry_after.isascii() and retry_after.isdigit() else 0.0
