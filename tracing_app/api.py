"""The leaf that every other room uses to say what happens: stages of a request, and its trace id.

A stage is a span with attributes. Attribute names follow the OpenTelemetry semantic conventions; names of
our own start with ``mizuchi.``. Values never hold secrets or a person's data: keys and subjects go through
``redacted_key`` and ``subject_hash``. Without tracing every call here does next to nothing.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping, MutableMapping, Sequence
from contextvars import ContextVar, Token
from types import TracebackType
from typing import TYPE_CHECKING, Literal, Self, cast

from opentelemetry.context import Context
from opentelemetry.trace import INVALID_SPAN, Span, SpanKind, StatusCode, Tracer

from tracing_app.metrics.families import BYTES_BOUNDS as BYTES_BOUNDS
from tracing_app.metrics.families import CALL_BOUNDS as CALL_BOUNDS
from tracing_app.metrics.families import SECONDS_BOUNDS as SECONDS_BOUNDS
from tracing_app.metrics.families import Counter as Counter
from tracing_app.metrics.families import Gauge as Gauge
from tracing_app.metrics.families import Histogram as Histogram
from tracing_app.metrics.families import Label as Label
from tracing_app.metrics.families import is_measuring as is_measuring
from tracing_app.metrics.readings import Distribution as Distribution
from tracing_app.metrics.readings import KeptTraces as KeptTraces
from tracing_app.metrics.readings import Reading as Reading
from tracing_app.propagation.w3c import write_context
from tracing_app.recording.attributes import NUMBERS
from tracing_app.recording.current_context import SPAN_KEY, current_context, enter, leave, with_current
from tracing_app.recording.fixed import FixedAttributes as FixedAttributes
from tracing_app.recording.settings import RecordingLimits
from tracing_app.redaction import Redactor
from tracing_app.redaction import upload_hash as upload_hash

if TYPE_CHECKING:
    from opentelemetry.util.types import AnyValue

    from tracing_app.recording.span import LightSpan

AttributeValue = str | bool | int | float
Kind = Literal["internal", "client"]

_METHODS = frozenset({"CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE"})
_KINDS: Mapping[Kind, SpanKind] = {"internal": SpanKind.INTERNAL, "client": SpanKind.CLIENT}
_MAX_LENGTH = RecordingLimits().max_attribute_length
_trace_id: ContextVar[str] = ContextVar("mizuchi_trace_id", default="")


class _Instruments:
    """What this process records with; ``use`` replaces it once, when tracing begins. ``span_type``: spans
    of the recorder, where it is in use."""

    tracer: Tracer | None = None
    span_type: type[LightSpan] | None = None
    redactor: Redactor | None = None
    baggage_hosts: frozenset[str] = frozenset()


def use(tracer: Tracer, redactor: Redactor, baggage_hosts: Collection[str] = ()) -> None:
    """Record stages with this tracer from now on. ``baggage_hosts``, as ``host`` or ``host:port``, get it."""
    _Instruments.tracer, _Instruments.redactor = tracer, redactor
    from tracing_app.recording.span import LightSpan  # where nothing is traced nothing of it is imported

    _Instruments.span_type = LightSpan
    _Instruments.baggage_hosts = frozenset(baggage_hosts)


def is_tracing() -> bool:
    """Whether this process records: what is said of a request is lost otherwise."""
    return _Instruments.tracer is not None


class Stage:
    """A piece of work under way; ``set`` adds an attribute, ``event`` marks a moment."""

    __slots__ = ("_plain", "_span")

    _span: Span
    _plain: dict[str, AnyValue] | None
    """Where a span of ours keeps its attributes, for those that need no look at their type."""

    def set(self, name: str, value: AttributeValue) -> None:
        plain = self._plain
        if plain is not None and (
            value.__class__ in NUMBERS or (value.__class__ is str and len(value) <= _MAX_LENGTH)
        ):
            plain[name] = value
        else:
            self._span.set_attribute(name, value)

    def set_all(self, attributes: Mapping[str, AttributeValue]) -> None:
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
        if self._plain is not None:
            cast("LightSpan", self._span).add_moments(moments)
            return
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
        tracer = _Instruments.tracer
        if tracer is None:
            self._span, self._plain, self._token = INVALID_SPAN, None, None
            return self
        # What ``start_as_current_span`` does, less what it does with exceptions.
        context = current_context()
        self._span = span = tracer.start_span(self._name, context, _KINDS[self._kind], self._attributes)
        self._plain = span.varied if type(span) is _Instruments.span_type else None
        self._token = enter(with_current(span, context))
        return self

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
        self._span.end()


def fail(span: Span, error: BaseException) -> None:
    """Say on a span how it failed, without the error's text."""
    span.set_attribute("error.type", getattr(error, "code", type(error).__name__))
    status = getattr(error, "status", None)
    if not (isinstance(status, int) and status < 500):
        span.set_status(StatusCode.ERROR)


def known_method(method: str) -> str:
    """An HTTP method as traces and logs may show it: ``_OTHER`` when the client made it up. Source: semantic
    conventions for HTTP, ``http.request.method``."""
    return method if method in _METHODS else "_OTHER"


def name_request(name: str, *attributes: Mapping[str, AttributeValue]) -> None:
    """Give the request's root span its name and attributes, once it is known what is asked."""
    span = cast("Span | None", current_context().get(SPAN_KEY))
    if span is not None and span.is_recording():
        span.update_name(name)
        for each in attributes:
            span.set_attributes(each)


def note(attributes: Mapping[str, AttributeValue]) -> None:
    """Set attributes of the span under way."""
    span = _under_way()
    if span is not None:
        span.set_attributes(attributes)


def add(name: str, amount: float) -> None:
    """Add to a number on the span under way, 0 until then."""
    span = _under_way()
    if span is not None:
        so_far = getattr(span, "varied", {}).get(name, 0)
        span.set_attribute(name, so_far + amount)


def _under_way() -> Span | None:
    """What ``get_current_span`` returns, at a third of its cost; None for nothing, and without tracing."""
    return None if _Instruments.tracer is None else cast("Span | None", current_context().get(SPAN_KEY))


def inject_context(headers: MutableMapping[str, str], host: str, port: int) -> None:
    """Add ``traceparent`` and ``tracestate`` of what is under way to the headers of a request to ``host`` (in
    lower case, IPv6 without brackets), and ``baggage`` where the operator lets that host have it."""
    if _Instruments.tracer is not None:
        write_context(headers, and_baggage=bool(_Instruments.baggage_hosts) and _may_have_baggage(host, port))


def _may_have_baggage(host: str, port: int) -> bool:
    name = f"[{host}]" if ":" in host else host
    return not _Instruments.baggage_hosts.isdisjoint((name, f"{name}:{port}"))


def current_traceparent() -> str:
    """``traceparent`` of what is under way, to be kept and continued later; "" without tracing."""
    headers: dict[str, str] = {}
    if _Instruments.tracer is not None:
        write_context(headers, and_baggage=False)
    return headers.get("traceparent", "")


def redacted_key(key: str) -> str:
    """An object's key as traces may show it."""
    return _Instruments.redactor.key(key) if _Instruments.redactor else ""


def subject_hash(subject: str) -> str:
    """A keyed hash of who it is, for ``user.hash``."""
    return _Instruments.redactor.subject(subject) if _Instruments.redactor else ""


def new_trace_id() -> str:
    """A random W3C trace id: 32 lower-case hex digits, never all zero."""
    return f"{secrets.randbits(128) or 1:032x}"


def trace_id() -> str:
    """The trace id of the request being served, ``""`` outside of one. It is the request id too."""
    return _trace_id.get()


class trace:  # noqa: N801 - reads as the context manager it is
    """Serve what is inside under this trace id."""

    __slots__ = ("_token", "_trace_id")

    def __init__(self, trace_id: str) -> None:
        self._trace_id = trace_id

    def __enter__(self) -> None:
        self._token = _trace_id.set(self._trace_id)

    def __exit__(self, *raised: object) -> None:
        _trace_id.reset(self._token)
