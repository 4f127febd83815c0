"""What a request says of itself while it is served: spans around its steps, and what is known of it.

Compiled where a C compiler is at hand (``tracing_app.compiled``); ``stage.pxd`` has the types. Every request
goes through here several times, whether anything is recorded or not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextvars import Token
from types import TracebackType
from typing import TYPE_CHECKING, Literal, Self, cast

from opentelemetry.context import Context
from opentelemetry.trace import INVALID_SPAN, Link, Span, SpanKind, StatusCode, Tracer

from .current_context import SPAN_KEY, current_context, enter, leave, with_current
from .span import LightSpan
from .tracer import LightTracer

if TYPE_CHECKING:
    from tracing_app.redaction import Redactor

AttributeValue = str | bool | int | float
Kind = Literal["internal", "client"]

_KINDS: dict[Kind, SpanKind] = {"internal": SpanKind.INTERNAL, "client": SpanKind.CLIENT}


class Instruments:
    """What this process records with; ``tracing_app.api.use`` replaces it once, when tracing begins."""

    __slots__ = ("baggage_hosts", "redactor", "tracer")

    def __init__(self) -> None:
        self.tracer: Tracer | LightTracer | None = None
        self.redactor: Redactor | None = None
        self.baggage_hosts: frozenset[str] = frozenset()


INSTRUMENTS = Instruments()


class Stage:
    """A piece of work under way; ``set`` adds an attribute, ``event`` marks a moment."""

    __slots__ = ("_light", "_span")

    _light: LightSpan | None
    """The span, where it is one of ours: what is asked of it then is asked directly."""
    _span: Span | LightSpan

    def set(self, name: str, value: AttributeValue) -> None:
        light = self._light
        if light is not None:
            light.set_attribute(name, value)
        else:
            self._span.set_attribute(name, value)

    def set_all(self, attributes: Mapping[str, AttributeValue]) -> None:
        light = self._light
        if light is not None:
            light.set_attributes(attributes)
        else:
            self._span.set_attributes(attributes)

    def event(
        self,
        name: str,
        attributes: Mapping[str, AttributeValue] | None = None,
        *,
        time_ns: int | None = None,
    ) -> None:
        """``time_ns`` is Unix time in nanoseconds, now when None."""
        self._span.add_event(name, attributes, time_ns)

    def events(self, moments: Sequence[tuple[str, int]]) -> None:
        """Several at once, of which there is nothing to say but name and time."""
        light = self._light
        if light is not None:
            light.add_moments(moments)
        else:
            for name, time_ns in moments:
                self._span.add_event(name, None, time_ns)


class stage(Stage):  # noqa: N801 - reads as the context manager it is
    """Wrap a step of a request: a span with its duration, attributes, events and outcome.

    An exception sets ``error.type`` to its S3 code or its type's name, never its text. The span's status
    becomes ERROR unless the exception has a ``status`` below 500: a client's fault is not ours.
    """

    __slots__ = ("_attributes", "_kind", "_name", "_token")

    _token: Token[Context] | None

    def __init__(
        self, name: str, attributes: Mapping[str, AttributeValue] | None = None, *, kind: Kind = "internal"
    ) -> None:
        self._name = name
        self._attributes = attributes
        self._kind = kind

    def __enter__(self) -> Self:
        tracer = INSTRUMENTS.tracer
        if tracer is None:
            self._span, self._light, self._token = INVALID_SPAN, None, None
        else:
            # What ``start_as_current_span`` does, less what it does with exceptions.
            context = current_context()
            span = start_in(tracer, context, self._name, _KINDS[self._kind], self._attributes, None)
            self.begin(span, context)
        return self

    def begin(self, span: Span | LightSpan, context: Context) -> None:
        """Go on as this span, which has been started in that context."""
        self._span = span
        self._light = span if type(span) is LightSpan else None
        self._token = enter(with_current(span, context))

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._token is None:
            return
        leave(self._token)
        if error is not None:
            fail(self._span, error)
        light = self._light
        if light is not None:
            light.end()
        else:
            self._span.end()


def start_in(
    tracer: Tracer | LightTracer,
    context: Context,
    name: str,
    kind: SpanKind,
    attributes: Mapping[str, AttributeValue] | None,
    links: Sequence[Link] | None,
) -> Span | LightSpan:
    """Start a span below the one of that context, by any tracer."""
    if type(tracer) is LightTracer:
        return _start_light(tracer, context, name, kind, attributes, links)
    return tracer.start_span(name, context, kind, attributes, links)


def _start_light(
    tracer: LightTracer,
    context: Context,
    name: str,
    kind: SpanKind,
    attributes: Mapping[str, AttributeValue] | None,
    links: Sequence[Link] | None,
) -> Span | LightSpan:
    return tracer.start_in(context, name, kind, attributes, links, None)


def fail(span: Span | LightSpan, error: BaseException) -> None:
    """Say on a span how it failed, without the error's text."""
    span.set_attribute("error.type", getattr(error, "code", type(error).__name__))
    status = getattr(error, "status", None)
    if not (isinstance(status, int) and status < 500):
        span.set_status(StatusCode.ERROR)


def name_request(
    name: str,
    attributes: Mapping[str, AttributeValue] | None = None,
    later: Callable[[], Mapping[str, AttributeValue]] | None = None,
) -> None:
    """Give the request's root span its name and attributes, once it is known what is asked. ``later`` makes
    more of them when the trace is judged, outside of any request: what takes time to make."""
    span = _current_span()
    if span is not None and span.is_recording():
        span.update_name(name)
        if attributes:
            span.set_attributes(attributes)
        if later is not None and isinstance(span, LightSpan):
            span.describe_later(later)
        elif later is not None:
            span.set_attributes(later())


def note(attributes: Mapping[str, AttributeValue]) -> None:
    """Set attributes of the span under way."""
    span = under_way()
    if span is not None:
        span.set_attributes(attributes)


def add(name: str, amount: float) -> None:
    """Add to a number on the span under way, 0 until then."""
    span = under_way()
    if span is not None:
        so_far = cast("float", span.varied.get(name, 0)) if type(span) is LightSpan else 0
        span.set_attribute(name, so_far + amount)


def under_way() -> Span | LightSpan | None:
    """What ``get_current_span`` returns, at a third of its cost; None for nothing, and without tracing."""
    return None if INSTRUMENTS.tracer is None else _current_span()


def _current_span() -> Span | LightSpan | None:
    span: Span | LightSpan | None = current_context().get(SPAN_KEY)  # type: ignore[assignment]
    return span
