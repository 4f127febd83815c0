"""The parts of a POST form, gathered from a parser's events: fields, one file, and what follows it."""

from __future__ import annotations

from collections import deque
from enum import Enum, auto
from typing import TYPE_CHECKING, Final

from python_multipart.multipart import parse_options_header

from uploads.s3 import errors
from uploads.s3.errors import MalformedPOSTRequest, MaxPostPreDataLengthExceeded

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

MAX_FIELDS: Final = 100
MAX_FIELD_BYTES: Final = 20 * 1024
# RFC 7578, 4.7: these leave the bytes as they are, and nobody sends another.
_PLAIN_ENCODINGS: Final = frozenset({b"", b"7bit", b"8bit", b"binary"})


class _State(Enum):
    FIELDS = auto()
    FILE = auto()
    AFTER_FILE = auto()


class FormParts:
    """Fed by the callbacks of ``MultipartParser``.

    ``fields`` have names in lower case. ``is_ended`` is set at the final boundary. The callbacks raise
    MalformedPOSTRequest, MaxPostPreDataLengthExceeded and NotImplemented.
    """

    def __init__(self) -> None:
        self.fields: dict[str, str] = {}
        self.filename: str | None = None
        self.file_content_type: str | None = None
        self.is_ended = False
        self._state = _State.FIELDS
        self._bytes_before_file = 0
        self._headers: dict[bytes, bytes] = {}
        self._header_name = bytearray()
        self._header_value = bytearray()
        self._field_name = ""
        self._field_value = bytearray()
        self._blocks: deque[memoryview] = deque()

    @property
    def has_file(self) -> bool:
        """Whether the headers of the file were read."""
        return self._state is not _State.FIELDS

    def callbacks(self) -> MultipartCallbacks:
        """What the parser is to call."""
        return {
            "on_part_begin": self._begin_part,
            "on_header_field": self._add_header_name,
            "on_header_value": self._add_header_value,
            "on_header_end": self._end_header,
            "on_headers_finished": self._end_headers,
            "on_part_data": self._add_data,
            "on_part_end": self._end_part,
            "on_end": self._end,
        }

    def take_into(self, buffer: memoryview) -> int:
        """Put those of the file's bytes that have arrived, and fit, into ``buffer``; how many."""
        filled = 0
        while self._blocks and filled < len(buffer):
            block = self._blocks.popleft()
            taken = block[: len(buffer) - filled]
            buffer[filled : filled + len(taken)] = taken
            filled += len(taken)
            if len(taken) < len(block):
                self._blocks.appendleft(block[len(taken) :])
        return filled

    def _begin_part(self) -> None:
        self._headers = {}
        self._field_value = bytearray()

    def _add_header_name(self, data: bytes, start: int, end: int) -> None:
        self._count(end - start)
        self._header_name += data[start:end]

    def _add_header_value(self, data: bytes, start: int, end: int) -> None:
        self._count(end - start)
        self._header_value += data[start:end]

    def _end_header(self) -> None:
        self._headers[bytes(self._header_name).lower()] = bytes(self._header_value).strip()
        self._header_name, self._header_value = bytearray(), bytearray()

    def _end_headers(self) -> None:
        if self._state is not _State.FIELDS:
            return
        if self._headers.get(b"content-transfer-encoding", b"").lower() not in _PLAIN_ENCODINGS:
            raise errors.NotImplemented(
                "A part of the form has a Content-Transfer-Encoding. Send it as it is."
            )
        disposition, options = parse_options_header(self._headers.get(b"content-disposition", b""))
        if disposition != b"form-data" or b"name" not in options:
            raise MalformedPOSTRequest(
                "A part of the form has no Content-Disposition of form-data with a name."
            )
        name = _text(options[b"name"]).lower()
        if name == "file":
            self._begin_file(options.get(b"filename"))
        else:
            self._begin_field(name)

    def _begin_file(self, filename: bytes | None) -> None:
        content_type = self._headers.get(b"content-type")
        self.filename = None if filename is None else _text(filename)
        self.file_content_type = None if content_type is None else _text(content_type)
        self._state = _State.FILE

    def _begin_field(self, name: str) -> None:
        if name in self.fields:
            raise MalformedPOSTRequest("A field of the form is given twice. Send it once.")
        if len(self.fields) == MAX_FIELDS:
            raise MaxPostPreDataLengthExceeded(f"A form has at most {MAX_FIELDS} fields before its file.")
        self._field_name = name

    def _add_data(self, data: bytes, start: int, end: int) -> None:
        match self._state:
            case _State.FIELDS:
                self._count(end - start)
                self._field_value += data[start:end]
            case _State.FILE if end > start:
                self._blocks.append(memoryview(data)[start:end])
            case _:
                return

    def _end_part(self) -> None:
        if self._state is _State.FIELDS:
            self.fields[self._field_name] = _text(bytes(self._field_value))
        else:
            self._state = _State.AFTER_FILE

    def _end(self) -> None:
        self.is_ended = True

    def _count(self, size: int) -> None:
        if self._state is _State.FIELDS:
            self._bytes_before_file += size
            if self._bytes_before_file > MAX_FIELD_BYTES:
                raise MaxPostPreDataLengthExceeded


def _text(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise MalformedPOSTRequest("A name or field of the form is not valid UTF-8.") from None
