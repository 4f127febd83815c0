"""The leaf that every other room uses to say what happens: stages of a request, and its trace id.

A stage is a span with attributes. Attribute names follow the OpenTelemetry semantic conventions; names of
our own start with ``mizuchi.``. Values never hold secrets or a person's data: keys and subjects go through
``redacted_key`` and ``subject_hash``. Without tracing every call here does next to nothing.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, MutableMapping
from contextvars import ContextVar

from opentelemetry.trace import Tracer

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
from tracing_app.recording.fixed import FixedAttributes as FixedAttributes
from tracing_app.recording.stage import INSTRUMENTS
from tracing_app.recording.stage import AttributeValue as AttributeValue
from tracing_app.recording.stage import Kind as Kind
from tracing_app.recording.stage import Stage as Stage
from tracing_app.recording.stage import add as add
from tracing_app.recording.stage import name_request as name_request
from tracing_app.recording.stage import note as note
from tracing_app.recording.stage import stage as stage
from tracing_app.redaction import Redactor
from tracing_app.redaction import upload_hash as upload_hash

_METHODS = frozenset({"CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE"})
_trace_id: ContextVar[str] = ContextVar("mizuchi_trace_id", default="")


def use(tracer: Tracer, redactor: Redactor, baggage_hosts: Collection[str] = ()) -> None:
    """Record stages with this tracer from now on. ``baggage_hosts``, as ``host`` or ``host:port``, get it."""
    INSTRUMENTS.tracer, INSTRUMENTS.redactor = tracer, redactor
    INSTRUMENTS.baggage_hosts = frozenset(baggage_hosts)


def is_tracing() -> bool:
    """Whether this process records: what is said of a request is lost otherwise."""
    return INSTRUMENTS.tracer is not None


def known_method(method: str) -> str:
    """An HTTP method as traces and logs may show it: ``_OTHER`` when the client made it up. Source: semantic
    conventions for HTTP, ``http.request.method``."""
    return method if method in _METHODS else "_OTHER"


def inject_context(headers: MutableMapping[str, str], host: str, port: int) -> None:
    """Add ``traceparent`` and ``tracestate`` of what is under way to the headers of a request to ``host`` (in
    lower case, IPv6 without brackets), and ``baggage`` where the operator lets that host have it."""
    if INSTRUMENTS.tracer is not None:
        write_context(headers, and_baggage=bool(INSTRUMENTS.baggage_hosts) and _may_have_baggage(host, port))


def _may_have_baggage(host: str, port: int) -> bool:
    name = f"[{host}]" if ":" in host else host
    return not INSTRUMENTS.baggage_hosts.isdisjoint((name, f"{name}:{port}"))


def current_traceparent() -> str:
    """``traceparent`` of what is under way, to be kept and continued later; "" without tracing."""
    headers: dict[str, str] = {}
    if INSTRUMENTS.tracer is not None:
        write_context(headers, and_baggage=False)
    return headers.get("traceparent", "")


def redacted_key(key: str) -> str:
    """An object's key as traces may show it."""
    return INSTRUMENTS.redactor.key(key) if INSTRUMENTS.redactor else ""


def subject_hash(subject: str) -> str:
    """A keyed hash of who it is, for ``user.hash``."""
    return INSTRUMENTS.redactor.subject(subject) if INSTRUMENTS.redactor else ""


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
