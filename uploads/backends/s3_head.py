"""The signed head of a request to an S3 upstream: the one place where its headers are put together.

Source: S3 API reference, "Signature Calculations for the Authorization Header" (transferring payload in
a single chunk, unsigned).
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from authz.sigv4.canonical import (
    assemble,
    canonical_value,
    encode_query,
    encode_uri,
    one_character_per_byte,
)
from authz.sigv4.scope import ALGORITHM, CredentialScope
from authz.sigv4.signing import signature, signing_key, string_to_sign
from tracing_app.api import inject_context

from .errors import BackendRefused
from .s3_channel import Origin
from .s3_credentials import Credentials

UNSIGNED_PAYLOAD = "UNSIGNED-PAYLOAD"
UNSIGNED_TRAILER = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"

_HEADER_NAMES = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_FORBIDDEN_IN_VALUES = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


class Place(NamedTuple):
    """Where a bucket is: the origin, its authority for ``Host``, and the path before the key."""

    origin: Origin
    host: str
    base_path: str


class Call(NamedTuple):
    """One S3 request. ``length`` is that of the body on the wire; ``headers`` are all signed, their names in
    lower case."""

    operation: str
    method: str
    bucket: str
    key: str
    headers: Mapping[str, str]
    length: int
    query: Sequence[tuple[str, str]] = ()
    payload_hash: str = UNSIGNED_PAYLOAD
    is_repeatable: bool = True


class _Moment(NamedTuple):
    """A second of Unix time as signatures have it."""

    second: int
    timestamp: str
    scope: CredentialScope
    scope_text: str


class HeadWriter:
    """Writes heads that are signed for one region, now. Thread-safe."""

    def __init__(self, region: str) -> None:
        self._region = region
        self._moment = _moment_of(0, region)

    def write(self, call: Call, place: Place, credentials: Credentials) -> bytes:
        """The head of the call, which says where the trace goes on. That is not signed: nothing about the
        object depends on it.

        Raises BackendRefused for a header that cannot stand there or would end it.
        """
        moment = self._now()
        headers = {"host": place.host, **call.headers}
        headers["x-amz-content-sha256"] = call.payload_hash
        headers["x-amz-date"] = moment.timestamp
        if credentials.session_token is not None:
            headers["x-amz-security-token"] = credentials.session_token
        path = place.base_path + encode_uri(call.key.encode())
        query = encode_query((n.encode(), v.encode()) for n, v in call.query) if call.query else ""
        values = headers | {name: canonical_value(value) for name, value in call.headers.items()}
        values = dict(sorted(values.items()))
        request = assemble(call.method, path, query, values, call.payload_hash)
        headers["authorization"] = _authorization(credentials, moment, ";".join(values), request)
        headers["content-length"] = str(call.length)
        headers["user-agent"] = "mizuchi-uploadr"
        inject_context(headers, place.origin.host, place.origin.port)
        _require_harmless(headers)
        return _head_bytes(f"{call.method} {path}?{query}" if query else f"{call.method} {path}", headers)

    def _now(self) -> _Moment:
        second = int(time.time())
        moment = self._moment
        if moment.second != second:
            # Threads that meet here make the same.
            self._moment = moment = _moment_of(second, self._region)
        return moment


def _moment_of(second: int, region: str) -> _Moment:
    timestamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(second))
    scope = CredentialScope(date=timestamp[:8], region=region, service="s3")
    return _Moment(second, timestamp, scope, scope.text)


def _authorization(credentials: Credentials, moment: _Moment, signed_headers: str, request: str) -> str:
    """The header Authorization for a canonical request."""
    text = string_to_sign(moment.timestamp, moment.scope, request)
    signed = signature(signing_key(credentials.secret_key, moment.scope), text)
    return (
        f"{ALGORITHM} Credential={credentials.access_key}/{moment.scope_text}, "
        f"SignedHeaders={signed_headers}, Signature={signed}"
    )


def _require_harmless(headers: Mapping[str, str]) -> None:
    """All at once: a regular expression for each costs more than what it looks at."""
    values = "".join(headers.values())
    if _HEADER_NAMES.fullmatch("".join(headers)) and (
        values.isprintable() or not _FORBIDDEN_IN_VALUES.search(values)
    ):
        return
    raise BackendRefused(
        "A header of the request, or a name of its metadata, has characters that no header may have."
    )


def _head_bytes(request: str, headers: Mapping[str, str]) -> bytes:
    """A value is sent as the signature saw it: latin-1 where it fits, else UTF-8."""
    lines = "".join([f"{name}: {value}\r\n" for name, value in headers.items()])
    if not lines.isascii():
        sent = {name: one_character_per_byte(value) for name, value in headers.items()}
        lines = "".join([f"{name}: {value}\r\n" for name, value in sent.items()])
    return f"{request} HTTP/1.1\r\n{lines}\r\n".encode("latin-1")
