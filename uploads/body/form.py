"""A POST form as a stream: its fields first, then its file as a body of its own.

What comes after the file is ignored, as S3 does, but the form must come to its end: a file is only
whole once the final boundary was seen. Memory holds the fields and one block of the file.
Sources: S3 API reference, "Browser-based uploads using POST"; RFC 7578.
"""

from __future__ import annotations

import re
from typing import Final, Protocol

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from uploads.s3.errors import (
    IncompleteBody,
    InvalidArgument,
    MalformedPOSTRequest,
    MaxPostPreDataLengthExceeded,
)

from .form_parts import MAX_FIELD_BYTES, FormParts
from .stream import ByteSource

# Fields, their headers and boundaries at their longest; what is beyond this before a file is no form.
_MAX_BYTES_BEFORE_FILE: Final = 4 * MAX_FIELD_BYTES
_HEAD_BLOCK_BYTES: Final = 4096
_FILE_BLOCK_BYTES: Final = 64 * 1024


class FormInput(Protocol):
    """A form on the wire. ``read`` is as that of ``wsgi.input``, but it returns what came, one byte at least;
    it raises what a ByteSource raises."""

    def read(self, size: int, /) -> bytes: ...


class FormReader:
    """Reads one form from ``source``; ``content_length`` is the form's length on the wire, if promised.

    ``filename`` and ``file_content_type`` are the file's own headers, known once the fields were read.
    Raises MalformedPOSTRequest when ``content_type`` is not multipart/form-data with a boundary.
    """

    def __init__(self, source: FormInput, content_type: str, content_length: int | None) -> None:
        self.filename: str | None = None
        self.file_content_type: str | None = None
        self._source = source
        self._remaining = content_length
        self._parts = FormParts()
        self._parser = MultipartParser(_boundary(content_type), self._parts.callbacks())

    def read_fields(self) -> dict[str, str]:
        """The fields before the file, names in lower case.

        Raises MalformedPOSTRequest, MaxPostPreDataLengthExceeded, InvalidArgument for a form without
        a file, IncompleteBody, NotImplemented, and what reading the source raises.
        """
        received = 0
        while not self._parts.has_file:
            if self._parts.is_ended:
                raise InvalidArgument("POST requires exactly one file upload per request.")
            if received > _MAX_BYTES_BEFORE_FILE:
                raise MaxPostPreDataLengthExceeded
            received += self._feed(_HEAD_BLOCK_BYTES)
        self.filename = self._parts.filename
        self.file_content_type = self._parts.file_content_type
        return self._parts.fields

    def file_source(self) -> ByteSource:
        """The bytes of the file, after ``read_fields``. Its ``read_into`` raises IncompleteBody when the form
        stops before its final boundary, and MalformedPOSTRequest."""
        return _FileSource(self)

    def read_file_into(self, buffer: memoryview) -> int:
        """Put at least one byte of the file into ``buffer``; how many, 0 once the whole form was read."""
        while not (count := self._parts.take_into(buffer)) and not self._parts.is_ended:
            self._feed(_FILE_BLOCK_BYTES)
        return count

    def _feed(self, size: int) -> int:
        wanted = size if self._remaining is None else min(size, self._remaining)
        block = self._source.read(wanted) if wanted else b""
        if not block:
            raise self._cut_short()
        if self._remaining is not None:
            self._remaining -= len(block)
        try:
            self._parser.write(block)
        except FormParserError:
            raise MalformedPOSTRequest from None
        return len(block)

    def _cut_short(self) -> IncompleteBody | MalformedPOSTRequest:
        if self._parts.has_file or self._remaining:
            return IncompleteBody("The form ends before its final boundary. Send it again.")
        return MalformedPOSTRequest("The form has no final boundary.")


class _FileSource:
    copied_by: Final = "form"

    def __init__(self, reader: FormReader) -> None:
        self._reader = reader

    def read_into(self, buffer: memoryview, /) -> int:
        return self._reader.read_file_into(buffer)


def _boundary(content_type: str) -> bytes:
    try:
        media_type, options = parse_options_header(content_type)
    except ValueError:
        raise MalformedPOSTRequest("The Content-Type of the form cannot be read.") from None
    if media_type != b"multipart/form-data":
        raise MalformedPOSTRequest("Bucket POST must be of the enclosure-type multipart/form-data.")
    boundary = options.get(b"boundary", b"")
    if not re.fullmatch(rb"[\x20-\x7e]{0,255}[\x21-\x7e]", boundary):
        raise MalformedPOSTRequest("The Content-Type of the form lacks a boundary.")
    return boundary
