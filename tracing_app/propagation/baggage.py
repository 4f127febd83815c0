"""The header ``baggage``. Source: W3C Baggage, sections 3.2 and 3.3.

It may hold anything about anybody, so it is handed on to hosts that the operator named, and never told.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import quote, unquote

from opentelemetry.baggage import get_all, set_baggage
from opentelemetry.context import Context

MAX_MEMBERS = 64
MAX_BYTES = 8192
"""Of the whole header. The recommendation asks for as much at least."""

_TOKEN = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"  # noqa: S105 - of RFC 9110, 5.6.2
_OCTETS = r"[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]*"
_PROPERTY = rf"[ \t]*;[ \t]*{_TOKEN}(?:[ \t]*=[ \t]*{_OCTETS})?"
_MEMBER = re.compile(rf"(?P<key>{_TOKEN})[ \t]*=[ \t]*(?P<value>{_OCTETS})(?:{_PROPERTY})*")
_NAME = re.compile(_TOKEN)


class BaggageValue(str):
    """A decoded value. ``written`` is the member it came in, properties included, as it goes out."""

    written: str

    def __new__(cls, value: str, written: str) -> BaggageValue:
        own = super().__new__(cls, value)
        own.written = written
        return own


def with_baggage(context: Context, text: str) -> Context:
    """The context with the baggage of a header, for the API to read and ``format_baggage`` to hand on.

    Malformed members are left out; a header that is too long, or of too many members, is left out whole. Of a
    key that is there twice the API gives the last value, and all go on.
    """
    if len(text) > MAX_BYTES:
        return context
    members = [match for written in text.split(",") if (match := _MEMBER.fullmatch(written.strip(" \t")))]
    if len(members) > MAX_MEMBERS:
        return context
    values: dict[str, BaggageValue] = {}
    for match in members:
        key, written = match["key"], match[0]
        if key in values:
            written = f"{values[key].written},{written}"
        values[key] = BaggageValue(unquote(match["value"]), written)
    for key, value in values.items():
        context = set_baggage(key, value, context)
    return context


def format_baggage(context: Context) -> str:
    """The header for what is below; "" without any."""
    return ",".join(_written(context))


def _written(context: Context) -> Iterator[str]:
    for key, value in get_all(context).items():
        if isinstance(value, BaggageValue):
            yield value.written
        elif _NAME.fullmatch(key):
            yield f"{key}={quote(str(value))}"
