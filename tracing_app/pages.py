"""Traces the admin and other pages with ``opentelemetry-instrumentation-django``, kept from telling too much.

The instrumentation begins the span, finds its parent and hears of the view and its error. By itself it
would also tell the query, the client's address and texts of errors, call refused requests errors, and end a
span before its response is sent. So it is given ``PageSpan`` in the place of a span.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from opentelemetry.context import Context, attach, detach
from opentelemetry.instrumentation.django import DjangoInstrumentor
from opentelemetry.trace import (
    Link,
    Span,
    SpanKind,
    StatusCode,
    Tracer,
    TracerProvider,
    get_current_span,
)
from opentelemetry.util.types import AttributeValue

from tracing_app.page_span import PageSpan, allowed

Environ = dict[str, Any]
Application = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]

_CONVENTIONS = "OTEL_SEMCONV_STABILITY_OPT_IN"


def trace_pages(provider: TracerProvider, *, position: int) -> None:
    """Put the instrumentation into Django's ``MIDDLEWARE`` at that place, before a handler loads it."""
    others = [word for word in os.environ.get(_CONVENTIONS, "").split(",") if word]
    os.environ[_CONVENTIONS] = ",".join([*others, "http"])
    DjangoInstrumentor().instrument(
        tracer_provider=_PagesProvider(provider),
        request_hook=_begin,
        response_hook=_answer,
        middleware_position=position,
        skip_dep_check=True,
    )


def stop_tracing_pages() -> None:
    """Take it out again; handlers that have loaded it keep it."""
    DjangoInstrumentor().uninstrument()


class TracedPages:
    """Pages as an application that leaves the thread as it found it, however a request ends.

    An Exception is answered by Django, and the span ends with the answer. Anything else passes the
    instrumentation by: its span would be the parent of all that this thread serves from then on.
    """

    def __init__(self, pages: Application) -> None:
        self._pages = pages

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        token = attach(Context())
        try:
            return self._pages(environ, start_response)
        except BaseException:
            span = get_current_span()
            span.set_status(StatusCode.ERROR)
            span.end()
            raise
        finally:
            detach(token)


def _begin(span: PageSpan, request: HttpRequest) -> None:
    span.begin(request)


def _answer(span: PageSpan, request: HttpRequest, response: HttpResponseBase) -> None:
    span.answer(request, response)


class _PagesProvider(TracerProvider):
    """The provider that the instrumentation is given."""

    def __init__(self, provider: TracerProvider) -> None:
        self._provider = provider

    def get_tracer(self, *args: Any, **kwargs: Any) -> Tracer:
        return _PagesTracer(self._provider.get_tracer(*args, **kwargs))


class _PagesTracer(Tracer):
    """Starts the real spans, and hands out holds on them."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer

    def start_span(
        self,
        name: str,
        context: Context | None = None,
        kind: SpanKind = SpanKind.INTERNAL,
        attributes: Mapping[str, AttributeValue] | None = None,
        links: Sequence[Link] | None = None,
        start_time: int | None = None,
        record_exception: bool = True,
        set_status_on_exception: bool = True,
    ) -> Span:
        method = name.partition(" ")[0]
        return PageSpan(
            self._tracer.start_span(method, context, kind, allowed(attributes), links, start_time), method
        )

    def start_as_current_span(self, *args: Any, **kwargs: Any) -> AbstractContextManager[Span]:  # type: ignore[override]
        return self._tracer.start_as_current_span(*args, **kwargs)
