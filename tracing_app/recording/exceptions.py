"""A raised exception as attributes and as text. Source: semantic conventions, "Exceptions on spans"."""

from __future__ import annotations

import traceback

from opentelemetry.util.types import AnyValue


def exception_attributes(
    exception: BaseException, *, is_escaped: bool, has_stacktrace: bool
) -> dict[str, AnyValue]:
    """What the event ``exception`` of a span says."""
    attributes: dict[str, AnyValue] = {
        "exception.type": exception_type(exception),
        "exception.message": exception_message(exception),
        "exception.escaped": is_escaped,
    }
    if has_stacktrace:
        attributes["exception.stacktrace"] = "".join(traceback.format_exception(exception))
    return attributes


def exception_type(exception: BaseException) -> str:
    """The full name of its class, a builtin's without module."""
    kind = type(exception)
    is_builtin = kind.__module__ in ("builtins", None)
    return kind.__qualname__ if is_builtin else f"{kind.__module__}.{kind.__qualname__}"


def exception_status(exception: BaseException) -> str:
    """The description of the status of a span that this exception left."""
    return f"{type(exception).__name__}: {exception_message(exception)}"


def exception_message(exception: BaseException) -> str:
    """``str(exception)``, or a placeholder as in a traceback when that raises."""
    try:
        return str(exception)
    except Exception:  # noqa: BLE001 - whatever a foreign __str__ raises, telling of an error must not fail
        return "<exception str() failed>"
