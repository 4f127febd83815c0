"""One S3 request, read from its head: everything that is known before the first body byte.

Sources: S3 API reference, "Common request headers", "ListParts", "ListMultipartUploads",
"Authenticating requests: query parameters"; RFC 9112, 6.3.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from authz.sigv4.parts import RequestParts

from . import errors
from .addressing import Address, parse_address
from .errors import (
    ContentTypeNotAllowed,
    EntityTooLarge,
    InvalidArgument,
    InvalidPartNumber,
    InvalidRequest,
    KeyPatternNotAllowed,
    MissingContentLength,
)
from .headers import refuse_unsupported
from .operations import Operation, match_operation, refuse_copy
from .query import parse_query, with_presigned_headers

_DEFAULT_CONTENT_TYPE = "binary/octet-stream"
_LENGTH = re.compile("[0-9]{1,19}")
_MAX_PARTS = 10_000
_MAX_INT32 = 2**31 - 1
_WITH_PAYLOAD = frozenset({Operation.PUT_OBJECT, Operation.UPLOAD_PART})


@dataclass(slots=True)
class S3Request:
    """A request whose head is valid.

    ``query`` maps decoded parameter names to values; those of the operation are valid. ``headers`` is as
    in ``RequestParts``, with the ``x-amz-*`` headers that a presigned URL carries in its query.
    ``content_length`` is the length on the wire (None with chunked transfer-encoding);
    ``payload_length`` is the length of the object or part itself: ``x-amz-decoded-content-length``
    for aws-chunked bodies, the Content-Length otherwise, None when nobody promised one (as in a form).
    Whether a body without a promised length can be told whole is for the body to say, not for the head.

    Not frozen, for Python makes that dear, and every request makes one: nobody changes it.
    """

    operation: Operation
    address: Address
    query: Mapping[str, str]
    headers: Mapping[str, str]
    content_length: int | None
    payload_length: int | None

    @property
    def key(self) -> str:
        """The key of an operation on an object."""
        if self.address.key is None:
            raise ValueError(f"{self.operation.value} names no key")
        return self.address.key


def parse_request(parts: RequestParts, domain: str | None) -> S3Request:
    """Everything that can be known from the head. Raises the S3Error that refuses the request."""
    address = parse_address(parts.path, parts.host, domain)
    query = parse_query(parts.query)
    operation = match_operation(parts.method, address, query)
    headers = with_presigned_headers(parts.headers, query)
    if operation in _WITH_PAYLOAD and "x-amz-copy-source" in headers:
        raise refuse_copy(operation)
    refuse_unsupported(headers)
    if query:
        _check_query(operation, query)
    content_length = _content_length(operation, headers)
    payload_length = _payload_length(operation, headers, content_length)
    return S3Request(operation, address, query, headers, content_length, payload_length)


def check_limits(
    *,
    key: str,
    content_type: str | None,
    payload_length: int | None,
    max_object_bytes: int,
    content_types: Collection[str],
    key_pattern: re.Pattern[str] | None,
) -> None:
    """What a bucket accepts, as far as the head tells.

    ``content_types`` are exact or ``type/*``, any when empty; parameters do not count, and no type is
    ``binary/octet-stream``, as S3 stores it. Raises EntityTooLarge, ContentTypeNotAllowed,
    KeyPatternNotAllowed.
    """
    if payload_length is not None and payload_length > max_object_bytes:
        raise EntityTooLarge
    if content_types and not _is_accepted(content_type or _DEFAULT_CONTENT_TYPE, content_types):
        raise ContentTypeNotAllowed
    if key_pattern is not None and not key_pattern.fullmatch(key):
        raise KeyPatternNotAllowed


def _is_accepted(content_type: str, accepted: Collection[str]) -> bool:
    media_type = content_type.partition(";")[0].strip().lower()
    family = media_type.partition("/")[0] + "/*"
    return any(entry.lower() in (media_type, family) for entry in accepted)


def _check_query(operation: Operation, query: Mapping[str, str]) -> None:
    if query.get("uploadId") == "":
        raise InvalidArgument(
            "This operation does not accept an empty uploadId. Send the one you were given."
        )
    match operation:
        case Operation.HEAD_OBJECT:
            if query.get("versionId") == "":
                raise InvalidArgument("Version id cannot be the empty string. Leave versionId out.")
        case Operation.UPLOAD_PART:
            if not _is_integer(query["partNumber"], 1, _MAX_PARTS):
                raise InvalidPartNumber
        case Operation.LIST_PARTS:
            _check_integer(query, "max-parts", 0)
            _check_integer(query, "part-number-marker", 0)
        case Operation.LIST_MULTIPART_UPLOADS:
            _check_integer(query, "max-uploads", 1)
            if query.get("encoding-type", "url") != "url":
                raise InvalidArgument("Invalid Encoding Method specified in Request. It can only be url.")
            if query.get("delimiter"):
                raise errors.NotImplemented("Uploads are listed without grouping here. Leave delimiter out.")
        case _:
            return


def _check_integer(query: Mapping[str, str], name: str, minimum: int) -> None:
    value = query.get(name, "")
    if value and not _is_integer(value, minimum, _MAX_INT32):
        raise InvalidArgument(f"Argument {name} must be an integer between {minimum} and {_MAX_INT32}")


def _is_integer(text: str, minimum: int, maximum: int) -> bool:
    return re.fullmatch("[0-9]{1,10}", text) is not None and minimum <= int(text) <= maximum


def _content_length(operation: Operation, headers: Mapping[str, str]) -> int | None:
    coding, length = headers.get("transfer-encoding"), headers.get("content-length")
    if coding is not None:
        if coding.strip().lower() != "chunked":
            raise errors.NotImplemented("The only Transfer-Encoding here is chunked. Use it, or none.")
        if length:
            raise InvalidRequest("Content-Length and Transfer-Encoding exclude each other. Send one.")
        return None
    if length:
        return _bytes(length, "Content-Length")
    if operation in _WITH_PAYLOAD or operation is Operation.POST_OBJECT:
        raise MissingContentLength
    return 0


def _payload_length(
    operation: Operation, headers: Mapping[str, str], content_length: int | None
) -> int | None:
    if operation is Operation.POST_OBJECT:
        return None
    named = headers.get("x-amz-decoded-content-length")
    decoded = None if named is None else _bytes(named, "x-amz-decoded-content-length")
    if headers.get("x-amz-content-sha256", "").startswith("STREAMING-"):
        if decoded is None:
            raise MissingContentLength
        return decoded
    if decoded is None:
        return content_length
    if content_length is not None and content_length != decoded:
        raise InvalidRequest(
            "x-amz-decoded-content-length differs from Content-Length, but x-amz-content-sha256 does not "
            "say that the body is aws-chunked."
        )
    return decoded


def _bytes(text: str, name: str) -> int:
    if not _LENGTH.fullmatch(text.strip()):
        raise InvalidArgument(f"{name} must be one number of bytes.")
    return int(text)
