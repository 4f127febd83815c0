"""What a request says about its signature: read from the Authorization header, the query or a form.

Nothing is verified here but that the parts are there, well-formed and fit together. Any region is
accepted: the scope says which one the client signed for. Sources: S3 API reference, "Authenticating
Requests: Using the Authorization Header", "Using Query Parameters", "Browser-Based Uploads Using POST".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Literal

from authz.errors import (
    AuthError,
    AuthorizationHeaderMalformed,
    AuthorizationQueryParametersError,
    InvalidPayloadHash,
    MissingSecurityHeader,
    MultipleAuthMechanisms,
    UnsignedHeaders,
    UnsupportedSignature,
)

from .canonical import query_pairs
from .parts import RequestParts
from .proof import EMPTY_SHA256
from .scope import ALGORITHM, CredentialScope, checked_timestamp, parse_credential

__all__ = ["UNSIGNED_PAYLOAD", "CredentialScope", "Signed", "parse_authorization", "parse_post_form"]

UNSIGNED_PAYLOAD = "UNSIGNED-PAYLOAD"
MAX_EXPIRES_SECONDS = 604_800

_PAYLOAD_HASH = re.compile(
    r"[0-9a-fA-F]{64}|UNSIGNED-PAYLOAD|STREAMING-UNSIGNED-PAYLOAD-TRAILER"
    r"|STREAMING-AWS4-(?:HMAC-SHA256|ECDSA-P256-SHA256)-PAYLOAD(?:-TRAILER)?"
)
_TOKEN = r"[!#$%&'*+.^_`|~0-9a-z-]+"  # noqa: S105 - an HTTP field name in lower case
_SIGNED_HEADERS = re.compile(rf"{_TOKEN}(?:;{_TOKEN})*")
_SIGNATURE = re.compile(r"[0-9a-f]{64}")
_UTC = ("GMT", "-0000", "+0000", "UTC")  # RFC 1123 wants GMT; botocore writes -0000.
_MAX_KEPT_CHARACTERS = 1024
_EXPIRES = re.compile(r"[0-9]{1,6}")

_SIGV4_MARKS = frozenset({"x-amz-algorithm", "x-amz-credential", "x-amz-signature"})
_REQUIRED_PARAMETERS = (
    "X-Amz-Algorithm",
    "X-Amz-Credential",
    "X-Amz-Date",
    "X-Amz-Expires",
    "X-Amz-SignedHeaders",
    "X-Amz-Signature",
)
_AUTH_PARAMETERS = frozenset(name.lower() for name in _REQUIRED_PARAMETERS) | {
    "x-amz-content-sha256",
    "x-amz-security-token",
}
_V2_PARAMETERS = frozenset({"awsaccesskeyid", "signature"})


@dataclass(slots=True)
class Signed:
    """A request's claim to be signed. ``timestamp`` is ``YYYYMMDDTHHMMSSZ`` and a valid time.

    ``signed_headers`` is sorted. ``payload_hash`` is one of the values of ``x-amz-content-sha256``;
    presigned URLs that say nothing and POST forms have ``UNSIGNED-PAYLOAD``, a request whose header says
    nothing has None: it signs no body (curl before 8.0 does so). ``expires_seconds`` is None unless
    the request is presigned.

    Not frozen, for Python makes that dear, and every request makes one: nobody changes it.
    """

    access_key_id: str
    scope: CredentialScope
    signed_headers: tuple[str, ...]
    signature: str = field(repr=False)
    timestamp: str
    source: Literal["header", "query", "post"]
    expires_seconds: int | None
    payload_hash: str | None
    session_token: str | None = field(repr=False)

    @property
    def canonical_payload_hash(self) -> str:
        """What stands for the body in the canonical request: without a header, the hash of no body."""
        return self.payload_hash or EMPTY_SHA256


def parse_authorization(parts: RequestParts) -> Signed | None:
    """The signature claimed in the Authorization header or the query; None when the request has neither.

    A bearer token is not a signature: None. Raises UnsupportedSignature (Signature Version 2 and 4A,
    other schemes), MultipleAuthMechanisms (header and query together), AuthorizationHeaderMalformed,
    AuthorizationQueryParametersError, MissingSecurityHeader, InvalidPayloadHash, UnsignedHeaders.
    """
    header = parts.headers.get("authorization", "").strip()
    parameters = _auth_parameters(parts.query) if parts.query else {}
    is_presigned = not _SIGV4_MARKS.isdisjoint(parameters) or parameters.keys() >= _V2_PARAMETERS
    if header and is_presigned:
        raise MultipleAuthMechanisms
    if is_presigned:
        return _parse_query(parts, parameters)
    scheme = header.partition(" ")[0]
    if not header or scheme.lower() == "bearer":
        return None
    if scheme != ALGORITHM:
        raise _unsupported(scheme)
    return _parse_header(parts, header[len(ALGORITHM) :])


def parse_post_form(fields: Mapping[str, str]) -> Signed | None:
    """The signature claimed in the fields (lower-case names) of a POST form; None when it has none.

    Raises UnsupportedSignature, AuthorizationQueryParametersError.
    """
    if fields.keys() >= _V2_PARAMETERS:
        raise _unsupported("AWS")
    if _SIGV4_MARKS.isdisjoint(fields):
        return None
    malformed = AuthorizationQueryParametersError
    needed = ("policy", "x-amz-algorithm", "x-amz-credential", "x-amz-date", "x-amz-signature")
    if missing := [name for name in needed if not fields.get(name)]:
        raise malformed(f"The form is missing the field {missing[0]}. Make the POST policy anew.")
    _check_algorithm(fields["x-amz-algorithm"])
    timestamp = checked_timestamp(fields["x-amz-date"], malformed)
    access_key_id, scope = parse_credential(fields["x-amz-credential"], timestamp, malformed)
    return Signed(
        access_key_id=access_key_id,
        scope=scope,
        signed_headers=(),
        signature=_checked_signature(fields["x-amz-signature"], malformed),
        timestamp=timestamp,
        source="post",
        expires_seconds=None,
        payload_hash=UNSIGNED_PAYLOAD,
        session_token=fields.get("x-amz-security-token"),
    )


def _parse_header(parts: RequestParts, fields: str) -> Signed:
    malformed = AuthorizationHeaderMalformed
    given = _header_fields(fields)
    timestamp = _header_timestamp(parts.headers)
    access_key_id, scope = parse_credential(given["Credential"], timestamp, malformed)
    payload_hash = parts.headers.get("x-amz-content-sha256", "").strip()
    return Signed(
        access_key_id=access_key_id,
        scope=scope,
        signed_headers=_parse_signed_headers(given["SignedHeaders"], parts.headers, malformed),
        signature=_checked_signature(given["Signature"], malformed),
        timestamp=timestamp,
        source="header",
        expires_seconds=None,
        payload_hash=_checked_payload_hash(payload_hash) if payload_hash else None,
        session_token=parts.headers.get("x-amz-security-token"),
    )


def _header_fields(text: str) -> dict[str, str]:
    fields: dict[str, str] = {}
    for item in text.split(","):
        name, equals, value = item.strip().partition("=")
        if not equals or name in fields:
            raise AuthorizationHeaderMalformed
        fields[name] = value
    if fields.keys() != {"Credential", "SignedHeaders", "Signature"}:
        raise AuthorizationHeaderMalformed(
            "The authorization header requires Credential, SignedHeaders and Signature, and nothing else."
        )
    return fields


def _header_timestamp(headers: Mapping[str, str]) -> str:
    if given := headers.get("x-amz-date", "").strip():
        return checked_timestamp(given, AuthorizationHeaderMalformed)
    if not (given := headers.get("date", "").strip()):
        raise MissingSecurityHeader("Your request is missing a required header: x-amz-date.")
    text, _, zone = given.rpartition(" ")
    if zone in _UTC:
        with suppress(ValueError):
            given = f"{datetime.strptime(text, '%a, %d %b %Y %H:%M:%S'):%Y%m%dT%H%M%SZ}"
    # S3 takes its own form of time in Date too, so whatever it is now is judged here.
    return checked_timestamp(given, AuthorizationHeaderMalformed)


def _auth_parameters(raw_query: str) -> dict[str, str]:
    """The query parameters of authentication, by lower-case name."""
    parameters: dict[str, str] = {}
    for raw_name, raw_value in query_pairs(raw_query):
        name = raw_name.decode("latin-1").lower()
        if name in _V2_PARAMETERS:
            parameters[name] = ""
        elif name in _AUTH_PARAMETERS:
            if name in parameters:
                raise AuthorizationQueryParametersError("An X-Amz-* query parameter is given more than once.")
            parameters[name] = raw_value.decode("latin-1")
    return parameters


def _parse_query(parts: RequestParts, parameters: Mapping[str, str]) -> Signed:
    malformed = AuthorizationQueryParametersError
    if _SIGV4_MARKS.isdisjoint(parameters):
        raise _unsupported("AWS")
    for name in _REQUIRED_PARAMETERS:
        if not parameters.get(name.lower()):
            raise malformed(f"The presigned URL is missing the parameter {name}. Make it anew.")
    _check_algorithm(parameters["x-amz-algorithm"])
    timestamp = checked_timestamp(parameters["x-amz-date"], malformed)
    access_key_id, scope = parse_credential(parameters["x-amz-credential"], timestamp, malformed)
    return Signed(
        access_key_id=access_key_id,
        scope=scope,
        signed_headers=_parse_signed_headers(parameters["x-amz-signedheaders"], parts.headers, malformed),
        signature=_checked_signature(parameters["x-amz-signature"], malformed),
        timestamp=timestamp,
        source="query",
        expires_seconds=_parse_expires(parameters["x-amz-expires"]),
        payload_hash=_presigned_payload_hash(parts.headers, parameters),
        session_token=parameters.get("x-amz-security-token"),
    )


def _parse_expires(text: str) -> int:
    if not _EXPIRES.fullmatch(text) or int(text) > MAX_EXPIRES_SECONDS:
        raise AuthorizationQueryParametersError(
            f"X-Amz-Expires must be a whole number of seconds from 0 to {MAX_EXPIRES_SECONDS} (7 days)."
        )
    return int(text)


def _presigned_payload_hash(headers: Mapping[str, str], parameters: Mapping[str, str]) -> str:
    in_query = parameters.get("x-amz-content-sha256", "")
    in_header = headers.get("x-amz-content-sha256", "").strip()
    if in_query and in_header and in_query != in_header:
        raise InvalidPayloadHash("x-amz-content-sha256 differs between the presigned URL and the header.")
    return _checked_payload_hash(in_query or in_header or UNSIGNED_PAYLOAD)


def _parse_signed_headers(
    text: str, headers: Mapping[str, str], malformed: type[AuthError]
) -> tuple[str, ...]:
    split = _split_names if len(text) <= _MAX_KEPT_CHARACTERS else _split_names.__wrapped__
    try:
        names, signed = split(text)
    except ValueError as error:
        raise malformed(str(error)) from None
    if unsigned := [name for name in headers if name.startswith("x-amz-") and name not in signed]:
        raise UnsignedHeaders(
            "There were headers present in the request which were not signed: "
            f"{', '.join(unsigned)[:200]}. Sign them or leave them out."
        )
    return names


@lru_cache(maxsize=1024)
def _split_names(text: str) -> tuple[tuple[str, ...], frozenset[str]]:
    """The names sorted, and those that count as signed, as WSGI has them; a client signs the same again and
    again."""
    if not _SIGNED_HEADERS.fullmatch(text):
        raise ValueError("SignedHeaders must be names of headers in lower case, separated by semicolons.")
    names = tuple(sorted(text.split(";")))
    signed = {name.replace("_", "-") for name in names}
    if len(signed) != len(names) or "host" not in signed:
        raise ValueError("SignedHeaders must name host, and every header once.")
    # The payload hash is a line of the canonical request in any case: S3 does not ask for it here too.
    signed.add("x-amz-content-sha256")
    return names, frozenset(signed)


def _check_algorithm(algorithm: str) -> None:
    if algorithm != ALGORITHM:
        raise _unsupported(algorithm)


def _checked_signature(text: str, malformed: type[AuthError]) -> str:
    if not _SIGNATURE.fullmatch(text):
        raise malformed("The signature must be 64 hexadecimal digits in lower case.")
    return text


def _checked_payload_hash(text: str) -> str:
    if not _PAYLOAD_HASH.fullmatch(text):
        raise InvalidPayloadHash
    if "-ECDSA-" in text:
        raise _unsupported(text)
    return text


def _unsupported(scheme: str) -> UnsupportedSignature:
    if scheme == "AWS":
        return UnsupportedSignature(
            "Signature Version 2 is not supported. Use AWS4-HMAC-SHA256 (Signature Version 4)."
        )
    if "-ECDSA-" in scheme:
        return UnsupportedSignature(
            "Signature Version 4A (ECDSA) is not supported. Use AWS4-HMAC-SHA256 (Signature Version 4)."
        )
    return UnsupportedSignature()
