"""Presigned requests of our own: what a browser may send for somebody without ever seeing a secret.

Source: S3 API reference, "Authenticating Requests: Using Query Parameters".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from .authorization import UNSIGNED_PAYLOAD
from .canonical import assemble, canonical_value, encode_query, encode_uri
from .scope import ALGORITHM, CredentialScope
from .signing import signature, signing_key, string_to_sign

REGION = "us-east-1"


def presigned_target(
    *,
    method: str,
    path: bytes,
    query: Sequence[tuple[str, str]],
    headers: Mapping[str, str],
    access_key: str,
    secret_key: str,
    session_token: str | None,
    expires_seconds: int,
    now: datetime,
) -> str:
    """The path and query that carry the signature, encoded for the wire; good for ``expires_seconds``.

    ``path`` and ``query`` are decoded. Every header given is signed, ``host`` must be among them, and
    whoever sends the request must send just these; the body is not signed. ``now`` is aware of its time zone.
    """
    timestamp = f"{now.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    scope = CredentialScope(date=timestamp[:8], region=REGION, service="s3")
    values = {name.lower(): canonical_value(value) for name, value in headers.items()}
    values = {name: values[name] for name in sorted(values)}
    signing = {
        "X-Amz-Algorithm": ALGORITHM,
        "X-Amz-Credential": f"{access_key}/{scope.text}",
        "X-Amz-Date": timestamp,
        "X-Amz-Expires": str(expires_seconds),
        "X-Amz-SignedHeaders": ";".join(values),
    }
    if session_token is not None:
        signing["X-Amz-Security-Token"] = session_token
    encoded = encode_query((name.encode(), value.encode()) for name, value in (*query, *signing.items()))
    uri = encode_uri(path)
    request = assemble(method, uri, encoded, values, UNSIGNED_PAYLOAD)
    signed = signature(signing_key(secret_key, scope), string_to_sign(timestamp, scope, request))
    return f"{uri}?{encoded}&X-Amz-Signature={signed}"
