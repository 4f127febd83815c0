"""The signed head of a request to an S3 upstream: the one place where its headers are put together.

Source: S3 API reference, "Signature Calculations for the Authorization Header" (transferring payload in
a single chunk, unsigned).
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from functools import lru_cache
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
    is_patient: bool = False


class _Common(NamedTuple):
    """What the heads to one place within a second have in common: the headers to sign, all lines that do
    not depend on the call, and the beginning of Authorization's value."""

    timestamp: str
    scope: CredentialScope
    signed: dict[str, str]
    lines: str
    authorization: str


def signed_head(call: Call, place: Place, credentials: Credentials, region: str) -> bytes:
    """The head of the call, signed now, which says where the trace goes on. That is not signed: nothing
    about the object depends on it.

    Raises BackendRefused for a header that cannot stand there or would end it.
    """
    common = _common(
        int(time.time()),
        region,
        place.host,
        call.payload_hash,
        credentials.access_key,
        credentials.session_token,
    )
    bucket_path = place.base_path.rstrip("/") or "/"
    path = place.base_path + encode_uri(call.key.encode()) if call.key else bucket_path
    query = encode_query((n.encode(), v.encode()) for n, v in call.query) if call.query else ""
    values = {name: canonical_value(value) for name, value in call.headers.items()} | common.signed
    values = dict(sorted(values.items()))
    request = assemble(call.method, path, query, values, call.payload_hash)
    text = string_to_sign(common.timestamp, common.scope, request)
    signed = signature(signing_key(credentials.secret_key, common.scope), text)
    headers = dict(call.headers)
    inject_context(headers, place.origin.host, place.origin.port)
    target = f"{path}?{query}" if query else path
    return (
        f"{call.method} {target} HTTP/1.1\r\n"
        f"{common.lines}"
        f"authorization: {common.authorization}SignedHeaders={';'.join(values)}, Signature={signed}\r\n"
        f"content-length: {call.length}\r\n"
        f"{_lines(headers)}\r\n"
    ).encode("latin-1")


# Most requests share their second with others.
@lru_cache(maxsize=64)
def _common(
    second: int, region: str, host: str, payload_hash: str, access_key: str, session_token: str | None
) -> _Common:
    timestamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(second))
    scope = CredentialScope(date=timestamp[:8], region=region, service="s3")
    signed = {"host": host, "x-amz-content-sha256": payload_hash, "x-amz-date": timestamp}
    if session_token is not None:
        signed["x-amz-security-token"] = session_token
    authorization = f"{ALGORITHM} Credential={access_key}/{scope.text}, "
    lines = _lines({**signed, "user-agent": "mizuchi-uploadr"})
    return _Common(timestamp, scope, signed, lines, authorization)


def _lines(headers: Mapping[str, str]) -> str:
    """The headers as they stand in a head. A value is sent as the signature saw it: latin-1 where it fits,
    else UTF-8, one character for each byte."""
    values = "".join(headers.values())
    # All at once, and first what is quick: regular expressions cost more than what they look at.
    if not values.isprintable() and _FORBIDDEN_IN_VALUES.search(values):
        raise _refused()
    if headers and not _HEADER_NAMES.fullmatch("".join(headers)):
        raise _refused()
    if not values.isascii():
        headers = {name: one_character_per_byte(value) for name, value in headers.items()}
    return "".join([f"{name}: {value}\r\n" for name, value in headers.items()])


def _refused() -> BackendRefused:
    return BackendRefused(
        "A header of the request, or a name of its metadata, has characters that no header may have."
    )
