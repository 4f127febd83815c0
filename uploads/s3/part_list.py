"""The list of parts that CompleteMultipartUpload sends, read from its XML.

Source: S3 API reference, "CompleteMultipartUpload".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from xml.etree.ElementTree import ParseError  # the error's type only; defusedxml parses

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from . import errors
from .errors import (
    InvalidDigest,
    InvalidPart,
    InvalidPartNumber,
    InvalidPartOrder,
    MalformedXML,
    MaxMessageLengthExceeded,
)
from .headers import DIGEST_BYTES, ChecksumAlgorithm, parse_digest

MAX_PARTS = 10_000
# 10,000 parts with their SHA-256 and generous white space.
MAX_DOCUMENT_BYTES = 4 * 1024 * 1024

_NAMESPACE = "{http://s3.amazonaws.com/doc/2006-03-01/}"
_LEVELS = ("CompleteMultipartUpload", "Part")
_CHECKSUMS: Mapping[str, ChecksumAlgorithm] = MappingProxyType(
    {f"Checksum{algorithm.upper()}": algorithm for algorithm in DIGEST_BYTES}
)


@dataclass(frozen=True, slots=True)
class PartEntry:
    """One part of the list; ``etag`` without quotes, checksums in Base64."""

    part_number: int
    etag: str
    checksums: Mapping[ChecksumAlgorithm, str]


def parse_complete_multipart_upload(body: bytes) -> tuple[PartEntry, ...]:
    """The parts in strictly ascending order, at least one and at most 10,000.

    Raises MalformedXML (also for a DTD or entities), MaxMessageLengthExceeded, InvalidPartNumber,
    InvalidPartOrder, InvalidPart, NotImplemented for checksums that are not computed here.
    """
    if len(body) > MAX_DOCUMENT_BYTES:
        raise MaxMessageLengthExceeded
    reader = _PartListReader()
    parser = DefusedXMLParser(target=reader, forbid_dtd=True)
    try:
        parser.feed(body)
        parser.close()
    except (ParseError, DefusedXmlException, ValueError, LookupError):
        # ValueError and LookupError: the declaration names an encoding that is none.
        raise MalformedXML from None
    if not reader.parts:
        raise MalformedXML("You must specify at least one part.")
    return tuple(reader.parts)


class _PartListReader:
    """Takes the parser's events, so that no tree of a hostile document is ever built."""

    def __init__(self) -> None:
        self.parts: list[PartEntry] = []
        self._path: list[str] = []
        self._fields: dict[str, str] = {}
        self._text: list[str] = []

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        name, depth = tag.removeprefix(_NAMESPACE), len(self._path)
        if depth > len(_LEVELS) or (depth < len(_LEVELS) and name != _LEVELS[depth]):
            raise MalformedXML
        if depth == len(_LEVELS) and name in self._fields:
            raise MalformedXML
        self._path.append(name)
        self._text = []

    def data(self, text: str) -> None:
        if len(self._path) > len(_LEVELS):
            self._text.append(text)
        elif not text.isspace():
            raise MalformedXML

    def end(self, tag: str) -> None:
        name = self._path.pop()
        if len(self._path) == len(_LEVELS):
            self._fields[name] = "".join(self._text).strip()
        elif len(self._path) == 1:
            self._add(_part(self._fields))
            self._fields = {}

    def close(self) -> None:
        """The parser is done; ``parts`` is what it found."""

    def _add(self, part: PartEntry) -> None:
        if self.parts and part.part_number <= self.parts[-1].part_number:
            raise InvalidPartOrder
        if len(self.parts) == MAX_PARTS:
            raise MalformedXML("You must specify at most 10,000 parts.")
        self.parts.append(part)


def _part(fields: Mapping[str, str]) -> PartEntry:
    number, etag = fields.get("PartNumber", ""), fields.get("ETag", "").strip('"')
    if not re.fullmatch("[0-9]+", number) or not etag:
        raise MalformedXML("A part has a PartNumber, which is a number, and an ETag.")
    if len(number) > 5 or not 1 <= int(number) <= MAX_PARTS:
        raise InvalidPartNumber
    names = fields.keys() - {"PartNumber", "ETag"}
    return PartEntry(
        int(number), etag, {_algorithm(n): _checksum(n, fields[n], number) for n in sorted(names)}
    )


def _algorithm(name: str) -> ChecksumAlgorithm:
    if name in _CHECKSUMS:
        return _CHECKSUMS[name]
    if name.startswith("Checksum"):
        raise errors.NotImplemented(
            f"{name}: this gateway computes {', '.join(DIGEST_BYTES)}. Use one of them."
        )
    raise MalformedXML


def _checksum(name: str, text: str, number: str) -> str:
    try:
        parse_digest(_algorithm(name), text)
    except InvalidDigest:
        raise InvalidPart(f"{name} of part {number} is not the Base64 of such a checksum.") from None
    return text
