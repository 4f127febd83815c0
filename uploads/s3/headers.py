"""The headers that go with an object, and the conditions and checksums a client asks for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

ChecksumAlgorithm = Literal["crc32", "crc32c", "crc64nvme", "sha1", "sha256"]
ChecksumType = Literal["COMPOSITE", "FULL_OBJECT"]

_NONE: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class ObjectMetadata:
    """What is stored beside the bytes of an object.

    ``content_encoding`` is without ``aws-chunked``. ``user`` maps names without ``x-amz-meta-``, in lower
    case, to values. ``encryption`` maps ``x-amz-server-side-encryption*`` header names to values.
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
