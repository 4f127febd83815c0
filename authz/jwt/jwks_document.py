"""Fetches a JWK Set over HTTP: one bounded answer within one bounded time, or a reason why not."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path
from urllib.parse import urlsplit

from tracing_app.api import Stage, inject_context, stage
from tracing_app.deadline_http import Deadline, DeadlineConnection

MAX_DOCUMENT_BYTES = 256 * 1024


class JwksUnreachable(Exception):
    """The document could not be had. The text is for the operator: it says why, in a few words."""


def fetch_jwks(url: str, *, timeout_seconds: float, ca_file: Path | None = None) -> bytes:
    """The document at ``url``, at most ``MAX_DOCUMENT_BYTES`` long. Redirects are not followed.

    The whole exchange ends within ``timeout_seconds``, however slowly the answer comes. Raises
    JwksUnreachable.
    """
    split = urlsplit(url)
    host, port = split.hostname or "", split.port or (443 if split.scheme == "https" else 80)
    target = (split.path or "/") + (f"?{split.query}" if split.query else "")
    attributes: dict[str, str | int] = {
        "http.request.method": "GET",
        "server.address": host,
        "server.port": port,
    }
    with stage("GET", attributes, kind="client") as current, _translated():
        tls = ssl.create_default_context(cafile=ca_file) if split.scheme == "https" else None
        connection = DeadlineConnection(host, port, tls)
        connection.deadline = Deadline(timeout_seconds)
        try:
            return _exchange(connection, target, current)
        finally:
            connection.discard()


def _exchange(connection: DeadlineConnection, target: str, current: Stage) -> bytes:
    headers = {"Accept": "application/jwk-set+json, application/json", "Accept-Encoding": "identity"}
    inject_context(headers, connection.host, connection.port)
    connection.request("GET", target, headers=headers)
    response = connection.getresponse()
    current.set("http.response.status_code", response.status)
    if response.status != 200:
        raise JwksUnreachable(f"answered {response.status}")
    document = response.read(MAX_DOCUMENT_BYTES + 1)
    if len(document) > MAX_DOCUMENT_BYTES:
        raise JwksUnreachable(f"is larger than {MAX_DOCUMENT_BYTES} bytes")
    return document


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except ssl.SSLCertVerificationError as error:
        raise JwksUnreachable(f"has a certificate that is not trusted: {error.verify_message}") from error
    except TimeoutError as error:
        raise JwksUnreachable("did not answer in time") from error
    except OSError as error:
        raise JwksUnreachable(f"cannot be reached: {error.strerror or type(error).__name__}") from error
    except HTTPException as error:
        raise JwksUnreachable(f"does not speak HTTP: {type(error).__name__}") from error
