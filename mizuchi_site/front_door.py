"""Which requests are pages (admin, health, static files) and which are the S3 API.

Both are served by Django's WSGI handler. The S3 API has a chain of its own with nothing in it that an
upload does not need: no sessions, cookies, CSRF, host checks or URL patterns.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from django.core.handlers.exception import convert_exception_to_response
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import ResolverMatch

from tracing_app.middleware import TraceMiddleware
from uploads.views import S3View

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
Application = Callable[[Environ, StartResponse], Iterable[bytes]]

# The first segments of pages' paths; no bucket can have one of these names.
PAGES = frozenset({"admin", "api", "static", "health", "livez", "readyz", "metrics"})

_S3_MATCH = ResolverMatch(S3View.as_view(), (), {}, route="{bucket}/{key}")


class S3Handler(WSGIHandler):
    """Django's handler with the S3 view as its only URL and the trace as its only middleware."""

    def load_middleware(self, is_async: bool = False) -> None:
        self._view_middleware: list[Any] = []
        self._template_response_middleware: list[Any] = []
        self._exception_middleware: list[Any] = []
        self._middleware_chain = TraceMiddleware(convert_exception_to_response(self._get_response))

    def resolve_request(self, request: HttpRequest) -> ResolverMatch:
        request.resolver_match = _S3_MATCH
        return _S3_MATCH

    def get_response(self, request: HttpRequest) -> HttpResponseBase:
        """Without Django's log of refused paths: a key may be personal, and the view logs for itself."""
        response = self._middleware_chain(request)
        response._resource_closers.append(request.close)  # type: ignore[attr-defined]
        return response


class FrontDoor:
    """The WSGI application: sends pages to ``pages`` and everything else to ``s3``.

    With a ``domain``, a request to ``bucket.domain`` is always for the S3 API.
    """

    def __init__(self, *, pages: Application, s3: Application, domain: str | None) -> None:
        self._pages = pages
        self._s3 = s3
        self._suffix = f".{domain.lower()}" if domain else None

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        handler = self._pages if self._is_page(environ) else self._s3
        return handler(environ, start_response)

    def _is_page(self, environ: Environ) -> bool:
        first_segment = environ["PATH_INFO"][1:].partition("/")[0]
        if first_segment not in PAGES:
            return False
        host = environ.get("HTTP_HOST", "").rpartition("]")[2].partition(":")[0].lower()
        return self._suffix is None or not host.endswith(self._suffix)
