"""What a rule may ask about a finished trace, and how its values are written.

A field is one of the names here, ``root.ATTRIBUTE`` (of the local root) or ``any.ATTRIBUTE`` (of any span).
It has no value, one, or with ``any`` several; times are milliseconds, sizes bytes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from tracing_app.recording.data import SpanData, attribute_of
from tracing_app.recording.span import has_failed

Kind = Literal["text", "number", "duration", "size", "flag", "any"]
Value = str | int | float | bool
Reader = Callable[[Sequence[SpanData]], Sequence[Value]]

_NANOSECONDS = 1e6
_DURATIONS = {"us": 0.001, "ms": 1.0, "s": 1000.0, "m": 60_000.0, "h": 3_600_000.0}
_SIZES = {"": 1, "B": 1, "KB": 1000, "MB": 1000**2, "GB": 1000**3, "TB": 1000**4}
_SIZES |= {"KiB": 1024, "MiB": 1024**2, "GiB": 1024**3, "TiB": 1024**4}
_QUANTITY = re.compile(r"(?P<number>-?[0-9]+(?:\.[0-9]+)?)(?P<unit>[A-Za-z]*)")


@dataclass(frozen=True, slots=True)
class Field:
    """``read`` gives the values of a trace, whose spans are in order of their end, the local root last."""

    name: str
    kind: Kind
    read: Reader


def parse_field(name: str) -> Field:
    """Raises ValueError for a name that is no field."""
    field = FIELDS.get(name)
    if field is not None:
        return field
    where, _, attribute = name.partition(".")
    if attribute and where == "root":
        return Field(name, "any", _of_root(attribute))
    if attribute and where == "any":
        return Field(name, "any", _of_any(attribute))
    raise ValueError(f"{name!r} is no field; there are {', '.join(sorted(FIELDS))}, root.NAME and any.NAME")


def parse_value(text: str, kind: Kind) -> Value:
    """A bare word of a rule as a value of that kind. Raises ValueError."""
    match kind:
        case "text":
            return text
        case "flag":
            if text not in ("true", "false"):
                raise ValueError(f"{text!r} must be true or false")
            return text == "true"
        case "number":
            return _quantity(text, {"": 1}, "a number")
        case "duration":
            return _quantity(text, _DURATIONS, "a duration like 250ms, 2s or 5m")
        case "size":
            return _quantity(text, _SIZES, "a size like 4096, 64KiB or 5MB")
        case "any":
            return _guessed(text)


def _quantity(text: str, units: dict[str, float] | dict[str, int], what: str) -> int | float:
    match = _QUANTITY.fullmatch(text)
    if match is None or match["unit"] not in units:
        raise ValueError(f"{text!r} must be {what}")
    number = float(match["number"]) * units[match["unit"]]
    return int(number) if number.is_integer() else number


def _guessed(text: str) -> Value:
    """A value for an attribute whose type only the trace knows."""
    if text in ("true", "false"):
        return text == "true"
    if _QUANTITY.fullmatch(text) and not text[-1].isalpha():
        return _quantity(text, {"": 1}, "a number")
    return text


def _of_root(attribute: str) -> Reader:
    def read(spans: Sequence[SpanData]) -> Sequence[Value]:
        value = attribute_of(spans[-1], attribute)
        return (value,) if isinstance(value, (str, int, float)) else ()

    return read


def _of_any(attribute: str) -> Reader:
    def read(spans: Sequence[SpanData]) -> Sequence[Value]:
        values: list[Value] = []
        for span in spans:
            value = attribute_of(span, attribute)
            if isinstance(value, (str, int, float)):
                values.append(value)
        return values

    return read


def _operation(spans: Sequence[SpanData]) -> Sequence[Value]:
    method = attribute_of(spans[-1], "rpc.method")
    return (method.removeprefix("S3/"),) if isinstance(method, str) else ()


def _duration(spans: Sequence[SpanData]) -> Sequence[Value]:
    return ((spans[-1].end_ns - spans[-1].start_ns) / _NANOSECONDS,)


def _failed(spans: Sequence[SpanData]) -> Sequence[Value]:
    return (has_failed(spans),)


def _name(spans: Sequence[SpanData]) -> Sequence[Value]:
    return (spans[-1].name,)


def _count(spans: Sequence[SpanData]) -> Sequence[Value]:
    return (len(spans),)


FIELDS = {
    field.name: field
    for field in (
        Field("operation", "text", _operation),
        Field("bucket", "text", _of_root("aws.s3.bucket")),
        Field("route", "text", _of_root("http.route")),
        Field("method", "text", _of_root("http.request.method")),
        Field("name", "text", _name),
        Field("status", "number", _of_root("http.response.status_code")),
        Field("error", "text", _of_any("error.type")),
        Field("failed", "flag", _failed),
        Field("duration", "duration", _duration),
        Field("bytes", "size", _of_any("mizuchi.upload.bytes")),
        Field("receive_wait", "duration", _of_any("mizuchi.upload.receive_wait_ms")),
        Field("backend_wait", "duration", _of_any("mizuchi.upload.backend_wait_ms")),
        Field("client", "text", _of_root("user_agent.name")),
        Field("principal", "text", _of_any("user.hash")),
        Field("spans", "number", _count),
    )
}
