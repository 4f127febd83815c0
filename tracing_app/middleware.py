"""Gives every request its root span and its trace id, which is its request id, and tells it to the client."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from opentelemetry.context import Context
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    Span,
    SpanKind,
    StatusCode,
    Tracer,
    get_current_span,
    set_span_in_context,
)

from tracing_app.api import FixedAttributes, known_method, new_trace_id, trace
from tracing_app.propagation.traceparent import parse_traceparent
from tracing_app.propagation.w3c import read_context, read_parent
from tracing_app.recording.choices import trusted
from tracing_app.recording.current_context import enter, leave, with_current
from tracing_app.recording.span import LightSpan
from tracing_app.recording.stage import start_in
from tracing_app.user_agent import client_name

GetResponse = Callable[[HttpRequest], HttpResponseBase]
Environ = Mapping[str, Any]

_NO_CONTEXT = Context()
_SERVER = SpanKind.SERVER
_MAX_PRODUCT = 64  # no name of a client is as long
_ANSWERED = {status: FixedAttributes({"http.response.status_code": status}) for status in range(200, 600)}


def _nothing_earlier(environ: Environ) -> str:
    return ""


class TraceMiddleware:
    """Continues the trace of a valid ``traceparent`` (W3C Trace Context, section 3.2), or begins one.

    With a ``tracer`` the request becomes a SERVER span that ends when the response is closed; without
    one it only has its id. ``earlier`` finds the ``traceparent`` of something begun before that the
    request goes on with: a request without a trace of its own joins it if ``joins``, others are linked to it.
    """

    def __init__(
        self,
        get_response: GetResponse,
        tracer: Tracer | None = None,
        *,
        earlier: Callable[[Environ], str] = _nothing_earlier,
        joins: bool = True,
    ) -> None:
        self._get_response = get_response
        self._tracer = tracer
        self._earlier = earlier
        self._joins = joins

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if self._tracer is not None:
            return self._traced(request, self._tracer)
        incoming = parse_traceparent(request.META.get("HTTP_TRACEPARENT", ""))
        trace_id = new_trace_id() if incoming is None else incoming.trace_id
        with trace(trace_id):
            response = self._get_response(request)
        response.headers._store["x-amz-request-id"] = ("x-amz-request-id", trace_id)
        return response

    def _traced(self, request: HttpRequest, tracer: Tracer) -> HttpResponseBase:
        environ = request.META
        context, links = self._context(environ)
        method = known_method(environ["REQUEST_METHOD"])
        name = "HTTP" if method == "_OTHER" else method
        span = start_in(tracer, context, name, _SERVER, _attributes(environ, method), links)
        if (length := environ.get("CONTENT_LENGTH", "")).isdigit():
            span.set_attribute("http.request.body.size", int(length))
        # A context is a tuple; its properties cost a call each.
        number, span_id, _, flags, _, _ = span.get_span_context()
        trace_id = number.to_bytes(16, "big").hex()
        token = enter(with_current(span, context))
        try:
            with trace(trace_id):
                response = self._get_response(request)
        except BaseException:
            span.set_status(StatusCode.ERROR)
            span.end()
            raise
        finally:
            leave(token)
        _finish(span, response)
        # Hexadecimal digits need none of what Django does for the values of headers.
        headers = response.headers._store
        headers["x-amz-request-id"] = ("x-amz-request-id", trace_id)
        headers["traceresponse"] = (
            "traceresponse",
            f"00-{trace_id}-{span_id.to_bytes(8, 'big').hex()}-{flags:02x}",
        )
        response._resource_closers.append(span.end)  # type: ignore[attr-defined]
        return response

    def _context(self, environ: Environ) -> tuple[Context, list[Link] | None]:
        traceparent, baggage = environ.get("HTTP_TRACEPARENT", ""), environ.get("HTTP_BAGGAGE", "")
        context = _NO_CONTEXT
        if traceparent or baggage:
            context = read_context(traceparent, environ.get("HTTP_TRACESTATE", ""), baggage)
        begun = self._earlier(environ)
        began_in = read_parent(begun) if begun else None
        if began_in is None:
            return context, None
        if self._joins and not get_current_span(context).get_span_context().is_valid:
            return set_span_in_context(NonRecordingSpan(trusted(began_in)), context), None
        return context, [Link(began_in)]


def _attributes(environ: Environ, method: str) -> FixedAttributes:
    """Stable HTTP conventions. The path is set by the view, which knows what of it may be shown; the
    query holds signatures and the client's address is a person's, so neither is there."""
    return _of_clients_like_it(
        method,
        environ["wsgi.url_scheme"],
        environ.get("SERVER_NAME", ""),
        environ.get("SERVER_PORT") or "0",
        environ.get("SERVER_PROTOCOL", ""),
        environ.get("HTTP_USER_AGENT", "")[:_MAX_PRODUCT],
    )


@lru_cache(maxsize=1024)
def _of_clients_like_it(
    method: str, scheme: str, server: str, port: str, protocol: str, user_agent: str
) -> FixedAttributes:
    attributes: dict[str, str | int] = {
        "http.request.method": method,
        "url.scheme": scheme,
        "server.address": server,
        "server.port": int(port),
        "network.protocol.version": protocol.partition("/")[2],
    }
    if user_agent:
        attributes["user_agent.name"] = client_name(user_agent)
    return FixedAttributes(attributes)


def _finish(span: Span | LightSpan, response: HttpResponseBase) -> None:
    """An error answer of the S3 API or of STS says its code as ``error_code``."""
    status = response.status_code
    span.set_attributes(_ANSWERED.get(status) or {"http.response.status_code": status})
    code = getattr(response, "error_code", "") or (str(status) if status >= 500 else "")
    if code:
        span.set_attribute("error.type", code)
    if status >= 500:
        span.set_status(StatusCode.ERROR)
