"""The XML that S3 answers with.

Source: S3 API reference, "CompleteMultipartUpload", "CreateMultipartUpload", "ListParts",
"ListMultipartUploads", "GetBucketLocation", "POST Object", "Error responses".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Protocol
from urllib.parse import quote

from .addressing import NOT_XML
from .headers import ChecksumAlgorithm, ChecksumType, MultipartChecksum

NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"

_ESCAPES = str.maketrans(
    # A bare carriage return would be read as a line feed, and white space is trimmed by some readers.
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&apos;", "\r": "&#13;"}
)
_NO_CHECKSUMS: Mapping[ChecksumAlgorithm, str] = MappingProxyType({})


class ListedPart(Protocol):
    """A part as ListParts shows it; ``last_modified`` is Unix time in seconds."""

    @property
    def part_number(self) -> int: ...
    @property
    def etag(self) -> str: ...
    @property
    def size(self) -> int: ...
    @property
    def last_modified(self) -> float: ...
    @property
    def checksums(self) -> Mapping[ChecksumAlgorithm, str]: ...


@dataclass(frozen=True, slots=True)
class UploadEntry:
    """An upload as ListMultipartUploads shows it; ``initiated`` is Unix time in seconds."""

    key: str
    upload_id: str
    initiated: float
    principal: str
    checksum: MultipartChecksum | None = None


def error(code: str, message: str, resource: str, request_id: str, **extra: str) -> bytes:
    """An error document; ``extra`` names further elements."""
    fields = {"Code": code, "Message": message, **extra, "Resource": resource, "RequestId": request_id}
    return _document("Error", (_element(name, text) for name, text in fields.items()), namespace="")


def initiate_multipart_upload_result(bucket: str, key: str, upload_id: str) -> bytes:
    """The answer of CreateMultipartUpload."""
    fields = {"Bucket": bucket, "Key": key, "UploadId": upload_id}
    return _document("InitiateMultipartUploadResult", (_element(name, text) for name, text in fields.items()))


def complete_multipart_upload_result(
    location: str,
    bucket: str,
    key: str,
    etag: str,
    checksums: Mapping[ChecksumAlgorithm, str] = _NO_CHECKSUMS,
    checksum_type: ChecksumType | None = None,
) -> bytes:
    """The answer of CompleteMultipartUpload; ``etag`` without quotes, checksums in Base64."""
    return _document(
        "CompleteMultipartUploadResult",
        (
            _element("Location", location),
            _element("Bucket", bucket),
            _element("Key", key),
            _element("ETag", f'"{etag}"'),
            _checksums(checksums),
            _optional("ChecksumType", checksum_type),
        ),
    )


def list_parts_result(
    *,
    bucket: str,
    key: str,
    upload_id: str,
    parts: Sequence[ListedPart],
    part_number_marker: int,
    next_part_number_marker: int,
    max_parts: int,
    is_truncated: bool,
    principal: str,
    checksum: MultipartChecksum | None = None,
) -> bytes:
    """One page of ListParts."""
    return _document(
        "ListPartsResult",
        (
            _element("Bucket", bucket),
            _element("Key", key),
            _element("UploadId", upload_id),
            _people(principal),
            _element("StorageClass", "STANDARD"),
            _element("PartNumberMarker", part_number_marker),
            _element("NextPartNumberMarker", next_part_number_marker),
            _element("MaxParts", max_parts),
            _element("IsTruncated", "true" if is_truncated else "false"),
            _multipart_checksum(checksum),
            *(_part(part) for part in parts),
        ),
    )


def list_multipart_uploads_result(
    *,
    bucket: str,
    uploads: Sequence[UploadEntry],
    prefix: str = "",
    key_marker: str = "",
    upload_id_marker: str = "",
    max_uploads: int,
    is_truncated: bool,
    encoding_type: str | None = None,
) -> bytes:
    """One page of ListMultipartUploads; the next page begins behind its last upload.

    ``encoding_type`` ``url`` percent-encodes keys, markers and prefix.
    """
    last = uploads[-1] if uploads and is_truncated else None
    return _document(
        "ListMultipartUploadsResult",
        (
            _element("Bucket", bucket),
            _element("KeyMarker", _encoded(key_marker, encoding_type)),
            _element("UploadIdMarker", upload_id_marker),
            _optional("NextKeyMarker", _encoded(last.key, encoding_type) if last else None),
            _optional("NextUploadIdMarker", last.upload_id if last else None),
            _element("Prefix", _encoded(prefix, encoding_type)),
            _element("MaxUploads", max_uploads),
            _optional("EncodingType", encoding_type),
            _element("IsTruncated", "true" if is_truncated else "false"),
            *(_upload(upload, encoding_type) for upload in uploads),
        ),
    )


def location_constraint(region: str | None) -> bytes:
    """The answer of GetBucketLocation; None is us-east-1, which S3 writes as nothing."""
    text = _escape(region) if region and region != "us-east-1" else ""
    return _document("LocationConstraint", [text])


def post_response(location: str, bucket: str, key: str, etag: str) -> bytes:
    """The answer of POST Object with ``success_action_status`` 201; ``etag`` without quotes."""
    fields = {"Location": location, "Bucket": bucket, "Key": key, "ETag": f'"{etag}"'}
    return _document("PostResponse", (_element(name, text) for name, text in fields.items()), namespace="")


def _part(part: ListedPart) -> str:
    return _nested(
        "Part",
        _element("PartNumber", part.part_number),
        _element("LastModified", _timestamp(part.last_modified)),
        _element("ETag", f'"{part.etag}"'),
        _element("Size", part.size),
        _checksums(part.checksums),
    )


def _upload(upload: UploadEntry, encoding_type: str | None) -> str:
    return _nested(
        "Upload",
        _element("Key", _encoded(upload.key, encoding_type)),
        _element("UploadId", upload.upload_id),
        _people(upload.principal),
        _element("StorageClass", "STANDARD"),
        _element("Initiated", _timestamp(upload.initiated)),
        _multipart_checksum(upload.checksum),
    )


def _people(principal: str) -> str:
    person = _element("ID", principal) + _element("DisplayName", principal)
    return _nested("Initiator", person) + _nested("Owner", person)


def _checksums(checksums: Mapping[ChecksumAlgorithm, str]) -> str:
    return "".join(_element(f"Checksum{algorithm.upper()}", text) for algorithm, text in checksums.items())


def _multipart_checksum(checksum: MultipartChecksum | None) -> str:
    if checksum is None:
        return ""
    algorithm = _element("ChecksumAlgorithm", checksum.algorithm.upper())
    return algorithm + _element("ChecksumType", checksum.type)


def _encoded(text: str, encoding_type: str | None) -> str:
    return quote(text, safe="/") if encoding_type == "url" else text


def _timestamp(seconds: float) -> str:
    moment = datetime.fromtimestamp(seconds, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _document(root: str, content: Iterable[str], namespace: str = NAMESPACE) -> bytes:
    attribute = f' xmlns="{namespace}"' if namespace else ""
    body = f"<{root}{attribute}>{''.join(content)}</{root}>"
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{body}'.encode()


def _nested(name: str, *content: str) -> str:
    return f"<{name}>{''.join(content)}</{name}>"


def _element(name: str, value: str | int) -> str:
    return f"<{name}>{_escape(str(value))}</{name}>"


def _optional(name: str, value: str | None) -> str:
    return "" if value is None else _element(name, value)


def _escape(text: str) -> str:
    """``text`` as XML can carry it; what XML cannot becomes U+FFFD."""
    return NOT_XML.sub("\ufffd", text).translate(_ESCAPES)
