"""What of a log record may leave the machine: nothing that a client, a person or a secret could be in.

The console is read by whoever may read the machine, a collector by many. So the export goes by what is known:

- *Clean* loggers log nothing personal: their messages go whole, and their fields by the table below.
- *Own* loggers have literals as messages: the literal goes with its numbers filled in, other values replaced.
- Of any *other* logger the same goes for messages with arguments; one without may be made of anything.

Of an exception go its type and frames, never its text, as in traces.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from tracing_app.recording.exceptions import exception_type

REDACTED: Final = "[redacted]"

ATTRIBUTES: Final[Mapping[str, str]] = {
    "method": "http.request.method",
    "operation": "mizuchi.operation",
    "status": "http.response.status_code",
    "code": "error.type",
    "bytes": "http.request.body.size",
    "duration_ms": "mizuchi.duration_ms",
}
"""Fields of ``extra``, and their names in the semantic conventions ("HTTP", "Error") or of our own."""

_NUMBERS = frozenset({int, float, bool})
_MAX_TEXT = 16 * 1024
_MAX_FRAMES = 50
_MAX_CAUSES = 8

Scalar = str | bool | int | float


class LogEntry(NamedTuple):
    """A record as it is exported; ``time_ns`` is Unix time, ids are hex or ``""``."""

    time_ns: int
    level: int
    level_name: str
    logger: str
    text: str
    attributes: Mapping[str, Scalar]
    trace_id: str
    span_id: str
    trace_flags: int


class RecordExport:
    """Makes entries of records. Loggers below a clean or own one are such too."""

    def __init__(self, *, clean: tuple[str, ...], own: tuple[str, ...]) -> None:
        self._clean = clean
        self._own = own

    def entry(self, record: logging.LogRecord) -> LogEntry:
        """See the module. Raises nothing, whatever the record holds."""
        attributes: dict[str, Scalar] = {
            "code.file.path": record.pathname,
            "code.line.number": record.lineno,
        }
        if _is_below(record.name, self._clean):
            text = whole_message(record)
            _add_fields(attributes, record)
        else:
            text = redacted_message(record, is_literal=_is_below(record.name, self._own))
        if record.exc_info and record.exc_info[1]:
            attributes["exception.type"] = exception_type(record.exc_info[1])
            attributes["exception.stacktrace"] = frames_of(record.exc_info[1])[:_MAX_TEXT]
        return LogEntry(
            int(record.created * 1e9),
            record.levelno,
            record.levelname,
            record.name,
            text[:_MAX_TEXT],
            attributes,
            getattr(record, "trace_id", ""),
            getattr(record, "span_id", ""),
            getattr(record, "trace_flags", 0),
        )


class _Redacted:
    """Stands for a value in a message, under ``%s`` and ``%r``."""

    def __repr__(self) -> str:
        return REDACTED


_STAND_IN: Final = _Redacted()


def whole_message(record: logging.LogRecord) -> str:
    """The message; where it cannot be made, what it was to be made of."""
    try:
        return record.getMessage()
    except Exception:  # noqa: BLE001 - arguments that do not fit are the caller's mistake, and no reason to fail
        return record.msg if isinstance(record.msg, str) else REDACTED


def redacted_message(record: logging.LogRecord, *, is_literal: bool) -> str:
    """The message without its values, but for numbers and the id of the record's own trace."""
    message, args = record.msg, record.args
    if not isinstance(message, str) or not (args or is_literal):
        return REDACTED
    if not args:
        return message
    trace_id = getattr(record, "trace_id", "")
    try:
        if isinstance(args, Mapping):
            return message % {name: _redacted(value, trace_id) for name, value in args.items()}
        return message % tuple([_redacted(value, trace_id) for value in args])
    except (TypeError, ValueError, KeyError):
        return message


def _redacted(value: object, trace_id: str) -> object:
    if type(value) in _NUMBERS or (value and type(value) is str and value == trace_id):
        return value
    return _STAND_IN


def _add_fields(attributes: dict[str, Scalar], record: logging.LogRecord) -> None:
    given = record.__dict__
    for name, attribute in ATTRIBUTES.items():
        value = given.get(name)
        if isinstance(value, str | int | float):
            attributes[attribute] = value


def frames_of(error: BaseException) -> str:
    """The traceback of an exception and its causes, the first one first, without any texts but types."""
    parts = []
    for each, relation in _causes(error):
        frames = "".join(traceback.format_tb(each.__traceback__, limit=-_MAX_FRAMES))
        parts.append(f"{relation}Traceback (most recent call last):\n{frames}{exception_type(each)}\n")
    return "".join(reversed(parts))


def _causes(error: BaseException) -> Iterator[tuple[BaseException, str]]:
    """Each with how it follows from the next one."""
    seen: set[int] = set()
    while len(seen) < _MAX_CAUSES:
        seen.add(id(error))
        cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        if cause is None or id(cause) in seen:
            break
        relation = "direct cause of" if error.__cause__ else "while handling it"
        yield error, f"\n{relation}:\n\n"
        error = cause
    yield error, ""


def _is_below(name: str, loggers: tuple[str, ...]) -> bool:
    return any(name == logger or name.startswith(f"{logger}.") for logger in loggers)
