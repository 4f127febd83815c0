"""The current context, in as few calls as it takes: every span is made current and the one before again."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar, Token

from opentelemetry import context as otel
from opentelemetry.context import Context
from opentelemetry.trace import INVALID_SPAN, set_span_in_context

# The key of the current span in a context has no public name: the API is asked for it.
(SPAN_KEY,) = set_span_in_context(INVALID_SPAN, Context())

_put: Callable[[Context, str, object], None] = dict.__setitem__  # a context refuses to be written to


def with_current(span: object, context: Context) -> Context:
    """The same context, in which ``span`` is the current one: one copy, where the API makes two."""
    below = Context(context)
    _put(below, SPAN_KEY, span)
    return below


def _variable() -> ContextVar[Context] | None:
    """Where the API keeps the current context, unless OTEL_PYTHON_CONTEXT names another way."""
    otel.get_current()  # which makes it
    variable = getattr(otel._RUNTIME_CONTEXT, "_current_context", None)
    return variable if isinstance(variable, ContextVar) else None


_current = _variable()

current_context: Callable[[], Context] = otel.get_current if _current is None else _current.get
"""What the API's ``get_current`` returns."""

enter: Callable[[Context], Token[Context]] = otel.attach if _current is None else _current.set
"""What the API's ``attach`` does."""


_reset: Callable[[Token[Context]], None] | None = None if _current is None else _current.reset


def leave(token: Token[Context]) -> None:
    """What the API's ``detach`` does; it tells of a token that is of another thread's context."""
    try:
        if _reset is not None:
            _reset(token)
            return
    except (ValueError, RuntimeError):
        pass
    otel.detach(token)
