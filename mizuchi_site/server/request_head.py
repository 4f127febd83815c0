"""The head of a request: read strictly, because what two parsers read differently can hide a second request.

A head is taken only when the whole of it has the form of RFC 9112: no folded lines, no bare line feeds, no
space before a colon, no control characters, one Host, and one way to tell where the body ends.
"""

from __future__ import annotations

import re
from functools import lru_cache
from http import HTTPStatus
from typing import NamedTuple

MAX_HEAD_BYTES = 128 * 1024
MAX_TARGET_BYTES = 64 * 1024
MAX_HEADERS = 100
_MAX_LENGTH_DIGITS = 18
_USUAL_NAME = 64  # longer ones are not remembered: strangers choose them

# What may stand in a line, besides its end: everything but control characters.
_TEXT = bytes([9, *range(32, 127), *range(128, 256)])
_START = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]++) ([!\"$-~\x80-\xff]++) HTTP/1\.([01])")
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]++")
_END = re.compile(rb"\n\r?\n")  # also that of heads with bare line feeds, which are refused at once
_FIRST = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]")
_AUTHORITY = re.compile(r"https?://[^/?]*", re.IGNORECASE)
_WITHOUT_PREFIX = {"content-type": "CONTENT_TYPE", "content-length": "CONTENT_LENGTH"}

Headers = tuple[tuple[str, str], ...]


class BadRequestError(Exception):
    """A request that is refused with ``status``; where the next one begins cannot be known."""

    def __init__(self, status: HTTPStatus = HTTPStatus.BAD_REQUEST) -> None:
        super().__init__(status.phrase)
        self.status = status


class RequestHead(NamedTuple):
    """``path`` and ``query`` as they were sent, latin-1. ``headers`` are all of them in order, names in lower
    case. ``variables`` are the headers as CGI names them, repeated ones joined; those with an underscore in
    their names are not there: they could pass for others.

    ``body_bytes`` is the Content-Length, 0 without one, None for a chunked body. ``keeps_connection`` says
    whether another request may follow on the connection.
    """

    method: str
    path: str
    query: str
    is_http_1_1: bool
    headers: Headers
    variables: dict[str, str]
    body_bytes: int | None
    keeps_connection: bool

    @property
    def awaits_continue(self) -> bool:
        """The client sends no body before it is told to."""
        return self.is_http_1_1 and self.variables.get("HTTP_EXPECT", "").lower() == "100-continue"


def find_end(received: bytes, searched: int = 0) -> int:
    """Where the head ends, 0 when more has to come; ``searched`` bytes were looked at before.

    What can be no head or none that is taken ends where it is: ``parse_head`` says what is wrong."""
    if found := _END.search(received, max(0, searched - 2)):
        return found.end()
    is_hopeless = len(received) >= MAX_HEAD_BYTES or (received and not _FIRST.match(received))
    return len(received) if is_hopeless else 0


def parse_head(head: bytes) -> RequestHead:
    """Read a head that ``find_end`` found; raises BadRequestError."""
    start, *lines = head.decode("latin-1").split("\r\n")
    match = _START.fullmatch(start)
    if match is None or lines[-2:] != ["", ""] or len(head.translate(None, _TEXT)) != 2 * len(lines):
        raise BadRequestError(_why_refused(head))
    if len(lines) - 2 > MAX_HEADERS:
        raise BadRequestError(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
    method, target, minor = match.groups()
    path, query = _split_target(target)
    headers, variables = _read_fields(lines[:-2])
    is_http_1_1 = minor == "1"
    if "," in variables.get("HTTP_HOST", "," if is_http_1_1 else ""):
        raise BadRequestError  # none, or two
    body_bytes = _read_framing(variables, is_http_1_1)
    is_kept = _keeps_connection(variables, is_http_1_1)
    if body_bytes is None and variables.pop("CONTENT_LENGTH", None) is not None:
        headers = tuple(header for header in headers if header[0] != "content-length")
        is_kept = False  # who sent both may have meant either
    return RequestHead(method, path, query, is_http_1_1, headers, variables, body_bytes, is_kept)


def _why_refused(head: bytes) -> HTTPStatus:
    if len(head) < MAX_HEAD_BYTES:
        return HTTPStatus.BAD_REQUEST
    if b"\n" in head[:MAX_TARGET_BYTES]:
        return HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
    return HTTPStatus.REQUEST_URI_TOO_LONG


def _split_target(target: str) -> tuple[str, str]:
    if len(target) > MAX_TARGET_BYTES:
        raise BadRequestError(HTTPStatus.REQUEST_URI_TOO_LONG)
    if target[0] != "/" and target != "*":
        absolute = _AUTHORITY.match(target)
        if absolute is None:
            raise BadRequestError
        target = target[absolute.end() :]
        if target[:1] != "/":
            target = "/" + target
    path, _, query = target.partition("?")
    return path, query


def _read_fields(lines: list[str]) -> tuple[Headers, dict[str, str]]:
    headers: list[tuple[str, str]] = []
    variables: dict[str, str] = {}
    for line in lines:
        sent_name, colon, value = line.partition(":")
        is_usual = len(sent_name) <= _USUAL_NAME
        name, variable = (_usual_name if is_usual else _read_name)(sent_name)
        value = value.strip("\t ")
        if not (colon and name):
            raise BadRequestError
        headers.append((name, value))
        if variable in variables:
            value = variables[variable] + ("; " if name == "cookie" else ",") + value
        if variable:
            variables[variable] = value
    return tuple(headers), variables


def _read_name(sent: str) -> tuple[str, str]:
    """The name in lower case, empty when it is none; CGI's name for it, empty when it has none."""
    if not _NAME.fullmatch(sent):
        return "", ""
    name = sent.lower()
    if "_" in name:
        return name, ""
    return name, _WITHOUT_PREFIX.get(name) or "HTTP_" + name.upper().replace("-", "_")


_usual_name = lru_cache(maxsize=256)(_read_name)


def _read_framing(variables: dict[str, str], is_http_1_1: bool) -> int | None:
    length = variables.get("CONTENT_LENGTH")
    size = 0 if length is None else _read_length(length)
    coding = variables.get("HTTP_TRANSFER_ENCODING")
    if coding is None:
        return size
    *others, last = (part.strip("\t ") for part in coding.lower().split(","))
    are_others_fine = all(_NAME.fullmatch(other) and other != "chunked" for other in others)
    if last != "chunked" or not are_others_fine or not is_http_1_1:
        raise BadRequestError
    return None


def _read_length(text: str) -> int:
    """Lengths that are equal are one."""
    if "," in text:
        text, *others = (part.strip("\t ") for part in text.split(","))
        if any(other != text for other in others):
            raise BadRequestError
    if not (text.isascii() and text.isdigit() and len(text) <= _MAX_LENGTH_DIGITS):
        raise BadRequestError
    return int(text)


def _keeps_connection(variables: dict[str, str], is_http_1_1: bool) -> bool:
    connection = variables.get("HTTP_CONNECTION")
    if connection is None:
        return is_http_1_1
    options = {option.strip("\t ") for option in connection.lower().split(",")}
    return "close" not in options and (is_http_1_1 or "keep-alive" in options)
