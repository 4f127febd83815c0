"""The headers that go with an object, and the conditions and checksums a client asks for.

Header values arrive as WSGI gives them: bytes read as Latin-1. Names are in lower case, with ``_`` read
as ``-``. Sources: S3 API reference, "PutObject", "CreateMultipartUpload"; S3 User Guide, "Working with
object metadata", "Checking object integrity", "Object tagging".
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, Literal

from . import errors
from .errors import InvalidArgument, InvalidDigest, InvalidRequest
from .metadata import decode_value, user_metadata
from .tagging import parse_tagging

ChecksumAlgorithm = Literal["crc32", "crc32c", "crc64nvme", "sha1", "sha256"]
ChecksumType = Literal["COMPOSITE", "FULL_OBJECT"]

_NONE: Mapping[str, str] = MappingProxyType({})


@dataclass(slots=True)
class ObjectMetadata:
    """What is stored beside the bytes of an object.

    ``content_encoding`` is without ``aws-chunked``. ``user`` maps names without ``x-amz-meta-``, in lower
    case, to values. ``encryption`` maps ``x-amz-server-side-encryption*`` header names to values. Not frozen,
    for Python makes that dear, and every request makes one: nobody changes it.
    """

    content_type: str | None = None
    cache_control: str | None = None
    content_disposition: str | None = None
    content_encoding: str | None = None
    content_language: str | None = None
    expires: str | None = None
    user: Mapping[str, str] = field(default_factory=lambda: _NONE)
    tagging: str | None = None
    storage_class: str | None = None
    acl: str | None = None
    encryption: Mapping[str, str] = field(default_factory=lambda: _NONE)
    website_redirect_location: str | None = None


@dataclass(frozen=True, slots=True)
class Conditions:
    """Conditional writes: ``If-None-Match: *`` and ``If-Match: <etag>`` (quotes removed)."""

    if_none_match: bool = False
    if_match: str | None = None

    def __bool__(self) -> bool:
        return self.if_none_match or self.if_match is not None


_UNCONDITIONAL = Conditions()


@dataclass(frozen=True, slots=True)
class ExpectedDigests:
    """What the client says the body hashes to.

    ``checksums`` maps an algorithm to the raw digest given in a header. ``trailer`` names the one
    whose value comes after the body. ``content_md5`` is raw too.
    """

    content_md5: bytes | None = None
    checksums: Mapping[ChecksumAlgorithm, bytes] = field(default_factory=lambda: MappingProxyType({}))
    trailer: ChecksumAlgorithm | None = None


@dataclass(frozen=True, slots=True)
class MultipartChecksum:
    """``x-amz-checksum-algorithm`` and ``-type`` of CreateMultipartUpload."""

    algorithm: ChecksumAlgorithm
    type: ChecksumType


DIGEST_BYTES: Final[Mapping[ChecksumAlgorithm, int]] = MappingProxyType(
    {"crc32": 4, "crc32c": 4, "crc64nvme": 8, "sha1": 20, "sha256": 32}
)

# Headers that nothing below looks at, but for the Content-Type: with no others, as most requests are, there
# is nothing to look for.
_SILENT = frozenset(
    {
        "accept",
        "accept-encoding",
        "amz-sdk-invocation-id",
        "amz-sdk-request",
        "authorization",
        "connection",
        "content-length",
        "content-type",
        "date",
        "expect",
        "host",
        "traceparent",
        "tracestate",
        "user-agent",
        "x-amz-content-sha256",
        "x-amz-date",
        "x-amz-security-token",
        "x-forwarded-for",
        "x-forwarded-proto",
    }
)
_NO_DIGESTS = ExpectedDigests()
_CHECKSUM = "x-amz-checksum-"
_NOT_DIGESTS = frozenset({"x-amz-checksum-algorithm", "x-amz-checksum-type", "x-amz-checksum-mode"})
_ENCRYPTION = "x-amz-server-side-encryption"
# Whoever sends one of these counts on its effect, and there is none here: an expected owner is a guard
# against writing to a stranger's bucket, and this gateway's buckets have no AWS account. The payer
# (x-amz-request-payer) only accepts a bill that never comes, so it is let pass.
_REFUSED = (
    "x-amz-grant-",
    "x-amz-object-lock-",
    "x-amz-copy-source",
    "x-amz-rename-source",
    "x-amz-write-offset-bytes",
    "x-amz-server-side-encryption-customer-",
    "x-amz-expected-bucket-owner",
    "x-amz-if-match-",
    "if-unmodified-since",
)
# Which checksum types AWS has for multipart uploads; the first is the default.
_MULTIPART_TYPES: Mapping[ChecksumAlgorithm, tuple[ChecksumType, ...]] = {
    "crc32": ("COMPOSITE", "FULL_OBJECT"),
    "crc32c": ("COMPOSITE", "FULL_OBJECT"),
    "crc64nvme": ("FULL_OBJECT",),
    "sha1": ("COMPOSITE",),
    "sha256": ("COMPOSITE",),
}


def refuse_unsupported(headers: Mapping[str, str]) -> None:
    """Raise NotImplemented, naming it, for a header that must not be dropped and cannot be honoured."""
    if headers.keys() <= _SILENT:
        return
    for name in headers:
        if name.startswith(_REFUSED):
            raise errors.NotImplemented(f"This gateway does not honour the header {name}. Leave it out.")


def object_metadata(headers: Mapping[str, str], signed_headers: tuple[str, ...]) -> ObjectMetadata:
    """What is to be stored beside the bytes.

    ``signed_headers`` are the names as the client signed them: they give user metadata its ``_`` back.
    Raises MetadataTooLarge, InvalidTag, and InvalidArgument for a value with control characters.
    """
    if headers.keys() <= _SILENT:
        return ObjectMetadata(content_type=_text(headers, "content-type"))
    return ObjectMetadata(
        content_type=_text(headers, "content-type"),
        cache_control=_text(headers, "cache-control"),
        content_disposition=_text(headers, "content-disposition"),
        content_encoding=_content_encoding(_text(headers, "content-encoding")),
        content_language=_text(headers, "content-language"),
        expires=_text(headers, "expires"),
        user=user_metadata(headers, signed_headers),
        tagging=_tagging(headers),
        storage_class=_text(headers, "x-amz-storage-class"),
        acl=_text(headers, "x-amz-acl"),
        encryption={n: decode_value(n, v) for n, v in headers.items() if n.startswith(_ENCRYPTION)},
        website_redirect_location=_text(headers, "x-amz-website-redirect-location"),
    )


def conditions(headers: Mapping[str, str]) -> Conditions:
    """The conditions of a write. Raises NotImplemented for those S3 has none of, InvalidRequest for both."""
    none_match, match = headers.get("if-none-match"), headers.get("if-match")
    if none_match is not None and match is not None:
        raise InvalidRequest("If-Match and If-None-Match exclude each other. Send one.")
    if none_match is not None and none_match.strip() != "*":
        raise errors.NotImplemented("If-None-Match of a write can only be *. Send *, or leave it out.")
    if match is None:
        return _UNCONDITIONAL if none_match is None else Conditions(if_none_match=True)
    etag = re.fullmatch(r'\s*("?)([^",*\s]+)\1\s*', match)
    if etag is None:
        raise errors.NotImplemented(
            "If-Match of a write can only be one strong ETag. Send one, or leave it out."
        )
    return Conditions(if_match=etag[2])


def expected_digests(headers: Mapping[str, str]) -> ExpectedDigests:
    """What the body must hash to.

    Raises InvalidDigest for malformed values, InvalidRequest for more than one checksum or one that
    ``x-amz-sdk-checksum-algorithm`` contradicts or a trailer that is none, NotImplemented for algorithms
    of S3 that are not computed here.
    """
    if headers.keys() <= _SILENT:
        return _NO_DIGESTS
    md5 = headers.get("content-md5")
    checksums = {a: parse_digest(a, headers[n]) for n, a in _checksum_headers(headers).items()}
    trailer = _trailer(headers.get("x-amz-trailer"))
    named = [*checksums, *([trailer] if trailer else [])]
    if len(named) > 1:
        raise InvalidRequest("Expecting a single x-amz-checksum- header or trailer. Send one.")
    sdk = headers.get("x-amz-sdk-checksum-algorithm")
    if sdk is not None and [sdk.strip().lower()] != named:
        raise InvalidRequest(
            "Value for x-amz-sdk-checksum-algorithm header is invalid: it names the checksum that is sent."
        )
    return ExpectedDigests(
        content_md5=None if md5 is None else _base64_of(md5, 16),
        checksums=MappingProxyType(checksums),
        trailer=trailer,
    )


def document_digests(headers: Mapping[str, str]) -> ExpectedDigests:
    """What the XML body of CompleteMultipartUpload must hash to: there, ``x-amz-checksum-*`` headers are
    of the object. Raises as ``expected_digests``."""
    return expected_digests({n: headers[n] for n in ("content-md5", "x-amz-trailer") if n in headers})


def full_object_checksums(headers: Mapping[str, str]) -> Mapping[ChecksumAlgorithm, str]:
    """The checksum of the whole object that CompleteMultipartUpload may name, in Base64, composite ones
    with ``-N``. Raises as ``expected_digests``."""
    found = {a: headers[n].strip() for n, a in _checksum_headers(headers).items()}
    if len(found) > 1:
        raise InvalidRequest("Expecting a single x-amz-checksum- header. Send one.")
    for algorithm, value in found.items():
        parse_digest(algorithm, re.sub(r"-[0-9]{1,5}$", "", value))
    return MappingProxyType(found)


def multipart_object_size(headers: Mapping[str, str]) -> int | None:
    """``x-amz-mp-object-size``: the bytes that the parts must come to. Raises InvalidArgument."""
    value = headers.get("x-amz-mp-object-size")
    if value is None:
        return None
    if not re.fullmatch(r"[0-9]{1,19}", value):
        raise InvalidArgument("x-amz-mp-object-size must be a number of bytes.")
    return int(value)


def multipart_checksum(headers: Mapping[str, str]) -> MultipartChecksum | None:
    """The checksum that the parts of a new upload will have. Raises InvalidRequest."""
    name, kind = headers.get("x-amz-checksum-algorithm"), headers.get("x-amz-checksum-type")
    if name is None and kind is None:
        return None
    if name is None:
        raise InvalidRequest("x-amz-checksum-type needs x-amz-checksum-algorithm beside it.")
    algorithm = _algorithm(name, "x-amz-checksum-algorithm")
    types = _MULTIPART_TYPES[algorithm]
    chosen = next((t for t in types if t == kind.upper()), None) if kind is not None else types[0]
    if chosen is None:
        raise InvalidRequest(
            f"The checksum type {kind!r} cannot be used with {name}. Use {' or '.join(types)}."
        )
    return MultipartChecksum(algorithm, chosen)


def parse_digest(algorithm: ChecksumAlgorithm, text: str) -> bytes:
    """The raw digest from its Base64. Raises InvalidDigest."""
    return _base64_of(text, DIGEST_BYTES[algorithm])


def _text(headers: Mapping[str, str], name: str) -> str | None:
    value = headers.get(name)
    return decode_value(name, value) if value else None


def _content_encoding(value: str | None) -> str | None:
    if value is None or "aws-chunked" not in value.lower():
        return value
    kept = [coding.strip() for coding in value.split(",")]
    return ",".join(coding for coding in kept if coding and coding.lower() != "aws-chunked") or None


def _tagging(headers: Mapping[str, str]) -> str | None:
    text = _text(headers, "x-amz-tagging")
    if text is not None:
        parse_tagging(text)
    return text


def _checksum_headers(headers: Mapping[str, str]) -> Mapping[str, ChecksumAlgorithm]:
    names = (name for name in headers if name.startswith(_CHECKSUM) and name not in _NOT_DIGESTS)
    return {name: _algorithm(name.removeprefix(_CHECKSUM), name) for name in names}


def _algorithm(name: str, header: str) -> ChecksumAlgorithm:
    for algorithm in DIGEST_BYTES:
        if algorithm == name.strip().lower():
            return algorithm
    raise errors.NotImplemented(
        f"{header}: this gateway computes {', '.join(DIGEST_BYTES)}. Use one of them."
    )


def _trailer(value: str | None) -> ChecksumAlgorithm | None:
    if value is None:
        return None
    name = value.strip().lower()
    if not name.startswith(_CHECKSUM) or name in _NOT_DIGESTS:
        raise InvalidRequest("The value specified in the x-amz-trailer header is not supported.")
    return _algorithm(name.removeprefix(_CHECKSUM), "x-amz-trailer")


def _base64_of(text: str, size: int) -> bytes:
    try:
        digest = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        raise InvalidDigest from None
    if len(digest) != size:
        raise InvalidDigest
    return digest
