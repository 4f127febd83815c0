"""What the instrumentation of Django gets for a span, and what of a page's address may be told."""

from __future__ import annotations

import re
from collections.abc import Mapping

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import ResolverMatch
from opentelemetry.context import attach
from opentelemetry.trace import Span, SpanContext, SpanKind, Status, StatusCode, set_span_in_context
from opentelemetry.util.types import AttributeValue

ALLOWED = frozenset(
    {
        "http.request.method",
        "http.response.status_code",
        "network.protocol.version",
        "server.port",
        "url.scheme",
    }
)
"""What the instrumentation may say. All else is said by ``begin`` and ``answer``, or not at all."""

_OBJECT_ID = re.compile(r"[0-9]{1,20}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_HIDDEN = "*"


class PageSpan(Span):
    """Lets through what is allowed, takes its outcome from the response and ends when that is closed.

    Spans of other libraries find the real span as their parent: ``begin`` makes it the current one, and
    ``TracedPages`` puts back what was there before.
    """

    kind = SpanKind.INTERNAL
    """Not what the real span is: of SERVER spans the instrumentation looks at headers, and none are told."""

    def __init__(self, span: Span, method: str) -> None:
        self._span = span
        self._method = method
        self._has_failed = False

    def begin(self, request: HttpRequest) -> None:
        """The request is about to be served."""
        self._span.set_attribute("server.address", request.META.get("SERVER_NAME", ""))
        attach(set_span_in_context(self._span))

    def answer(self, request: HttpRequest, response: HttpResponseBase) -> None:
        """The request has been answered, its response is still to be sent."""
        span, match = self._span, request.resolver_match
        if match is not None:
            route = f"/{match.route}"
            span.update_name(f"{self._method} {route}")
            span.set_attributes({"http.route": route, "url.path": shown_path(request.path, match)})
        if response.status_code >= 500:
            self._has_failed = True
            span.set_attribute("error.type", str(response.status_code))
            span.set_status(StatusCode.ERROR)
        ids = span.get_span_context()
        response["traceresponse"] = f"00-{ids.trace_id:032x}-{ids.span_id:016x}-{ids.trace_flags:02x}"
        response._resource_closers.append(span.end)  # type: ignore[attr-defined]

    # What the instrumentation calls.

    def get_span_context(self) -> SpanContext:
        return self._span.get_span_context()

    def is_recording(self) -> bool:
        return self._span.is_recording()

    def set_attribute(self, key: str, value: AttributeValue) -> None:
        if key in ALLOWED:
            self._span.set_attribute(key, value)

    def set_attributes(self, attributes: Mapping[str, AttributeValue]) -> None:
        self._span.set_attributes(allowed(attributes))

    def record_exception(
        self,
        exception: BaseException,
        attributes: Mapping[str, AttributeValue] | None = None,
        timestamp: int | None = None,
        escaped: bool = False,
    ) -> None:
        """Told after ``answer``. An error that was answered below 500 is the client's."""
        if self._has_failed:
            self._span.set_attribute("error.type", type(exception).__name__)

    def set_status(self, status: Status | StatusCode, description: str | None = None) -> None:
        """``answer`` says it: here a refused request would be an error, with its text."""

    def add_event(
        self, name: str, attributes: Mapping[str, AttributeValue] | None = None, timestamp: int | None = None
    ) -> None:
        """None are told."""

    def update_name(self, name: str) -> None:
        """The name is that of the route."""

    def end(self, end_time: int | None = None) -> None:
        """Not before the response is closed."""


def allowed(attributes: Mapping[str, AttributeValue] | None) -> dict[str, AttributeValue]:
    """The attributes that the instrumentation may give."""
    return {key: value for key, value in (attributes or {}).items() if key in ALLOWED}


def shown_path(path: str, match: ResolverMatch) -> str:
    """The path with what the client made up hidden: the route's own segments and ids of objects stay."""
    own = {"", *match.route.split("/")}
    segments = path.split("/")
    return "/".join(each if each in own or _OBJECT_ID.fullmatch(each) else _HIDDEN for each in segments)
