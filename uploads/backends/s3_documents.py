"""The XML documents of an S3 upstream: what is sent to complete an upload, and what answers say.

Source: S3 API reference, CompleteMultipartUpload, ListParts, "REST Error Responses".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from xml.etree.ElementTree import Element, ParseError
from xml.sax.saxutils import escape

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from .base import CompletedPart
from .s3_headers import checksum_parameters

_NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"


def completion_document(parts: Sequence[CompletedPart]) -> bytes:
    """The body of CompleteMultipartUpload."""
    listed = "".join([_listed(part) for part in parts])
    return f'<CompleteMultipartUpload xmlns="{_NAMESPACE}">{listed}</CompleteMultipartUpload>'.encode()


def _listed(part: CompletedPart) -> str:
    fields = {
        "PartNumber": str(part.part_number),
        "ETag": f'"{part.etag}"',
        **checksum_parameters(part.checksums),
    }
    return f"<Part>{''.join([f'<{name}>{escape(text)}</{name}>' for name, text in fields.items()])}</Part>"


def xml_fields(body: bytes) -> dict[str, str]:
    """The fields of a small S3 document by name; nothing where the body is something else."""
    root = _root(body)
    return {} if root is None else _fields(root)


def is_error(body: bytes) -> bool:
    """Whether it is the document of an error, whatever the status said."""
    if b"<Error" not in body:
        return False
    root = _root(body)
    return root is not None and _name(root) == "Error"


def listed_parts(body: bytes) -> Mapping[str, Any]:
    """The answer to ListParts as boto3 would have it. Raises KeyError or ValueError for what is none."""
    root = _root(body)
    if root is None:
        raise KeyError("ListPartsResult")
    fields = [_fields(child) for child in root if _name(child) == "Part"]
    parts = [
        {
            **part,
            "PartNumber": int(part["PartNumber"]),
            "Size": int(part["Size"]),
            "LastModified": datetime.fromisoformat(part["LastModified"]),
        }
        for part in fields
    ]
    return {"IsTruncated": _fields(root)["IsTruncated"] == "true", "Parts": parts}


def _root(body: bytes) -> Element | None:
    """Spaces that an upstream sent to pass the time are before the document."""
    try:
        root: Element = fromstring(body.strip())
    except (ParseError, DefusedXmlException, ValueError):
        return None
    return root


def _fields(element: Element) -> dict[str, str]:
    return {_name(child): (child.text or "").strip() for child in element}


def _name(element: Element) -> str:
    return element.tag.rpartition("}")[2]
