"""The S3 headers and parameters for what is written, and the checksums in what is answered.

Names: S3 API reference, PutObject, UploadPart and CompleteMultipartUpload.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from operator import attrgetter
from typing import Any

from uploads.s3.headers import ChecksumAlgorithm, ChecksumType, Conditions, ObjectMetadata

from .errors import BackendRefused

_CONTENT_HEADERS: Mapping[str, str] = {
    "content_type": "content-type",
    "cache_control": "cache-control",
    "content_disposition": "content-disposition",
    "content_encoding": "content-encoding",
    "content_language": "content-language",
    "expires": "expires",
    "tagging": "x-amz-tagging",
    "storage_class": "x-amz-storage-class",
    "acl": "x-amz-acl",
    "website_redirect_location": "x-amz-website-redirect-location",
}

#: What boto3 calls the checksums, as parameters and in answers.
CHECKSUM_FIELDS: Mapping[ChecksumAlgorithm, str] = {
    "crc32": "ChecksumCRC32",
    "crc32c": "ChecksumCRC32C",
    "crc64nvme": "ChecksumCRC64NVME",
    "sha1": "ChecksumSHA1",
    "sha256": "ChecksumSHA256",
}

_content_values = attrgetter(*_CONTENT_HEADERS)
_CHECKSUM_HEADERS: Mapping[str, ChecksumAlgorithm] = {
    f"x-amz-checksum-{algorithm}": algorithm for algorithm in CHECKSUM_FIELDS
}

_DIGEST_BYTES: Mapping[ChecksumAlgorithm, int] = {
    "crc32": 4,
    "crc32c": 4,
    "crc64nvme": 8,
    "sha1": 20,
    "sha256": 32,
}


def checksum_header(algorithm: ChecksumAlgorithm) -> str:
    """``x-amz-checksum-sha256`` and the like."""
    return f"x-amz-checksum-{algorithm}"


def checksum_text(raw: bytes) -> str:
    """A digest as S3 writes it."""
    return base64.b64encode(raw).decode()


def checksum_characters(algorithm: ChecksumAlgorithm) -> int:
    """How long a digest of this kind is as S3 writes it."""
    return len(checksum_text(bytes(_DIGEST_BYTES[algorithm])))


def metadata_headers(metadata: ObjectMetadata) -> dict[str, str]:
    """The headers that describe an object. Raises BackendRefused for user metadata beyond ASCII, as
    boto3 does: S3 stores it in a form that not every reader undoes."""
    headers: dict[str, str] = {}
    for header, value in zip(_CONTENT_HEADERS.values(), _content_values(metadata), strict=True):
        if value is not None:
            headers[header] = value
    for name, value in metadata.user.items():
        if not (name.isascii() and value.isascii()):
            raise BackendRefused(
                f"The storage takes user metadata in ASCII only; x-amz-meta-{ascii(name)[1:-1]} is not. "
                "Encode it (RFC 2047 or percent-encoding)."
            )
        headers[f"x-amz-meta-{name}"] = value
    for name, value in metadata.encryption.items():
        headers[name.lower()] = value
    return headers


def condition_headers(conditions: Conditions) -> dict[str, str]:
    """``If-None-Match`` and ``If-Match``."""
    headers = {}
    if conditions.if_none_match:
        headers["if-none-match"] = "*"
    if conditions.if_match is not None:
        headers["if-match"] = f'"{conditions.if_match}"'
    return headers


def checksum_headers(checksums: Mapping[ChecksumAlgorithm, bytes]) -> dict[str, str]:
    """Digests that the upstream shall verify and store."""
    return {checksum_header(algorithm): checksum_text(raw) for algorithm, raw in checksums.items()}


def checksum_parameters(checksums: Mapping[ChecksumAlgorithm, str]) -> dict[str, str]:
    """The same for boto3; digests in Base64."""
    return {CHECKSUM_FIELDS[algorithm]: text for algorithm, text in checksums.items()}


def checksums_in_headers(headers: Mapping[str, str]) -> dict[ChecksumAlgorithm, str]:
    """The checksums that the upstream computed, from the headers of its answer."""
    if _CHECKSUM_HEADERS.keys().isdisjoint(headers):
        return {}
    return {
        algorithm: headers[header] for header, algorithm in _CHECKSUM_HEADERS.items() if header in headers
    }


def checksums_in_answer(answer: Mapping[str, Any]) -> dict[ChecksumAlgorithm, str]:
    """The same from what boto3 returns."""
    return {algorithm: answer[field] for algorithm, field in CHECKSUM_FIELDS.items() if answer.get(field)}


def checksum_type(named: str | None, checksums: Mapping[ChecksumAlgorithm, str]) -> ChecksumType | None:
    """The type that the upstream named, or that the checksums have: composite ones end in ``-N``."""
    if named == "COMPOSITE":
        return "COMPOSITE"
    if not checksums:
        return None
    return "COMPOSITE" if any("-" in text for text in checksums.values()) else "FULL_OBJECT"
