"""The head of a request: read strictly, because what two parsers read differently can hide a second request.

A head is taken only when the whole of it has the form of RFC 9112: no folded lines, no bare line feeds, no
space before a colon, no control characters, one Host, and one way to tell where the body ends.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from http import HTTPStatus

MAX_HEAD_BYTES = 128 * 1024
MAX_TARGET_BYTES = 64 * 1024
MAX_HEADERS = 100
_MAX_LENGTH_DIGITS = 18

_TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]++"
_HEAD = re.compile(
    rb"(" + _TOKEN + rb") ([!\"$-~\x80-\xff]++) HTTP/1\.([01])\r\n"
    rb"((?:" + _TOKEN + rb":[\t -~\x80-\xff]*+\r\n)*+)\r\n"
)
_END = re.compile(rb"\n\r?\n")  # also that of heads with bare line feeds, which are refused at once
_FIRST = re.compile(_TOKEN)
_AUTHORITY = re.compile(rb"https?://[^/?]*", re.IGNORECASE)

Headers = tuple[tuple[str, str], ...]


class BadRequestError(Exception):
    """A request that is refused with ``status``; where the next one begins cannot be known."""

    def __init__(self, status: HTTPStatus = HTTPStatus.BAD_REQUEST) -> None:
        super().__init__(status.phrase)
        self.status = status


@dataclass(frozen=True, slots=True)
class RequestHead:
    """``path`` and ``query`` as they were sent. ``headers`` are all of them, in order; ``fields`` has
    repeated ones joined. Names are in lower case, values latin-1.

    ``body_bytes`` is the Content-Length, 0 without one, None for a chunked body. ``keeps_connection`` says
    whether another request may follow on the connection.
    """

    method: str
    path: bytes
    query: bytes
    is_http_1_1: bool
    headers: Headers
    fields: dict[str, str]
    body_bytes: int | None
    keeps_connection: bool

    @property
    def awaits_continue(self) -> bool:
        """The client sends no body before it is told to."""
        return self.is_http_1_1 and self.fields.get("expect", "").lower() == "100-continue"


def find_end(received: bytes, searched: int = 0) -> int:
    """Where the head ends, 0 when more has to come; ``searched`` bytes were looked at before.

    What can be no head or none that is taken ends where it is: ``parse_head`` says what is wrong."""
    if found := _END.search(received, max(0, searched - 2)):
        return found.end()
    is_hopeless = len(received) >= MAX_HEAD_BYTES or (received and not _FIRST.match(received))
    return len(received) if is_hopeless else 0


def parse_head(head: bytes) -> RequestHead:
    """Read a head that ``find_end`` found; raises BadRequestError."""
    match = _HEAD.fullmatch(head)
    if match is None:
        raise BadRequestError(_why_refused(head))
    method, target, minor, lines = match.groups()
    if len(target) > MAX_TARGET_BYTES:
        raise BadRequestError(HTTPStatus.REQUEST_URI_TOO_LONG)
    path, query = _split_target(target)
    headers, fields = _read_fields(lines)
    is_http_1_1 = minor == b"1"
    if "," in fields.get("host", "," if is_http_1_1 else ""):
        raise BadRequestError  # none, or two
    body_bytes = _read_framing(fields, is_http_1_1)
    is_kept = _keeps_connection(fields, is_http_1_1)
    if body_bytes is None and fields.pop("content-length", None) is not None:
        headers = tuple(header for header in headers if header[0] != "content-length")
        is_kept = False  # who sent both may have meant either
    return RequestHead(method.decode(), path, query, is_http_1_1, headers, fields, body_bytes, is_kept)


def _why_refused(head: bytes) -> HTTPStatus:
    if len(head) < MAX_HEAD_BYTES:
        return HTTPStatus.BAD_REQUEST
    if b"\n" in head[:MAX_TARGET_BYTES]:
        return HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
    return HTTPStatus.REQUEST_URI_TOO_LONG


def _split_target(target: bytes) -> tuple[bytes, bytes]:
    if target[:1] != b"/" and target != b"*":
        absolute = _AUTHORITY.match(target)
        if absolute is None:
            raise BadRequestError
        target = target[absolute.end() :]
        if target[:1] != b"/":
            target = b"/" + target
    path, _, query = target.partition(b"?")
    return path, query


def _read_fields(lines: bytes) -> tuple[Headers, dict[str, str]]:
    headers: list[tuple[str, str]] = []
    fields: dict[str, str] = {}
    for line in lines.decode("latin-1").split("\r\n")[:-1]:
        name, _, value = line.partition(":")
        name, value = name.lower(), value.strip("\t ")
        headers.append((name, value))
        if name in fields:
            value = fields[name] + ("; " if name == "cookie" else ",") + value
        fields[name] = value
    if len(headers) > MAX_HEADERS:
        raise BadRequestError(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
    return tuple(headers), fields


def _read_framing(fields: dict[str, str], is_http_1_1: bool) -> int | None:
    coding = fields.get("transfer-encoding")
    length = fields.get("content-length")
    size = 0 if length is None else _read_length(length)
    if coding is None:
        return size
    if coding.lower() != "chunked" or not is_http_1_1:
        raise BadRequestError
    return None


def _read_length(text: str) -> int:
    """Lengths that are equal are one."""
    first, *others = (part.strip("\t ") for part in text.split(","))
    is_number = first.isascii() and first.isdigit() and len(first) <= _MAX_LENGTH_DIGITS
    if not is_number or any(other != first for other in others):
        raise BadRequestError
    return int(first)


def _keeps_connection(fields: dict[str, str], is_http_1_1: bool) -> bool:
    connection = fields.get("connection")
    if connection is None:
        return is_http_1_1
    options = {option.strip("\t ") for option in connection.lower().split(",")}
    return "close" not in options and (is_http_1_1 or "keep-alive" in options)
