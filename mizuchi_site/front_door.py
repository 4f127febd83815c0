"""Which requests are pages (admin, static files), probes (health) and the S3 API.

All are served by Django's WSGI handler. Probes and the S3 API have a chain of their own with nothing in it
that they do not need: no sessions, cookies, CSRF, host checks or URL patterns.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from threading import Lock
from typing import Any

from django.core.handlers.exception import convert_exception_to_response
from django.core.handlers.wsgi import WSGIHandler
from django.http.response import HttpResponseBase
from django.urls import ResolverMatch

from authz.sts.view import is_exchange
from mizuchi_site.config.buckets import RESERVED_NAMES
from mizuchi_site.lean_exchange import Answer, LeanRequest
from mizuchi_site.unknown_host import is_known_host
from tracing_app.middleware import GetResponse, TraceMiddleware
from uploads.http import is_trusted

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
Application = Callable[[Environ, StartResponse], Iterable[bytes]]
View = Callable[..., HttpResponseBase]
Traces = Callable[[GetResponse], TraceMiddleware]


class LeanHandler(WSGIHandler):
    """Django's handler for one view, with the trace as its only middleware.

    What Django does around every request and has no effect on such a view is left out: signals, the script's
    prefix, the resolver, the request's body, the log of refused paths (a key may be personal, and views log
    for themselves). A view here reads ``wsgi.input``, sets no cookie, and finds the database as it does in
    Django's own chain: a connection that is unusable or too old is closed when a request is over.
    """

    request_class = LeanRequest

    def __init__(self, view: View, route: str, trace: Traces = TraceMiddleware) -> None:
        self._view = view
        self._match = ResolverMatch(view, (), {}, route=route)
        self._trace = trace
        super().__init__()

    def load_middleware(self, is_async: bool = False) -> None:
        self._middleware_chain = self._trace(convert_exception_to_response(self._view))  # type: ignore[arg-type]

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:  # type: ignore[override]
        request = self.request_class(environ)
        request.resolver_match = self._match
        response: HttpResponseBase = self._middleware_chain(request)
        start_response(
            f"{response.status_code} {response.reason_phrase}", [*response.headers._store.values()]
        )
        return Answer(response)


class MadeWhenAsked:
    """An application that is made by its first request, once; when that fails, by the next."""

    def __init__(self, make: Callable[[], Application]) -> None:
        self._make = make
        self._made: Application | None = None
        self._turn = Lock()

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        return (self._made or self._first())(environ, start_response)

    def _first(self) -> Application:
        with self._turn:
            if self._made is None:
                self._made = self._make()
            return self._made


class FrontDoor:
    """The WSGI application: each request goes to ``probes``, ``pages``, ``sts`` or ``s3``.

    With a ``domain``, a request to ``bucket.domain`` is always for the S3 API. A page is served at
    ``allowed_hosts`` only, elsewhere ``unknown_host`` answers: Django would refuse it before anything
    that traces hears of it, and log the client's text with a traceback. What a peer that is no
    trusted proxy says of the client's scheme is forgotten here, before any page can believe it. The bytes
    of the path are kept as ``mizuchi.path``: Django overwrites ``PATH_INFO`` with its own reading.
    """

    def __init__(
        self,
        *,
        pages: Application,
        probes: Mapping[str, Application],
        s3: Application,
        sts: Application,
        unknown_host: Application,
        domain: str | None,
        allowed_hosts: Sequence[str],
        trusted_proxies: Sequence[str],
    ) -> None:
        self._pages = pages
        self._probes = probes
        self._s3 = s3
        self._sts = sts
        self._unknown_host = unknown_host
        self._allowed_hosts = tuple(allowed_hosts)
        self._suffix = f".{domain.lower()}" if domain else None
        self._trusted_proxies = tuple(trusted_proxies)

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        environ["mizuchi.path"] = environ["PATH_INFO"].encode("latin-1")
        return self._application(environ)(environ, start_response)

    def _application(self, environ: Environ) -> Application:
        path: str = environ["PATH_INFO"]
        if is_exchange(environ) and not self._is_virtual_host(environ):
            return self._sts
        if path[1:].partition("/")[0] not in RESERVED_NAMES or self._is_virtual_host(environ):
            return self._s3
        if "HTTP_X_FORWARDED_PROTO" in environ and not is_trusted(
            environ.get("REMOTE_ADDR", ""), self._trusted_proxies
        ):
            del environ["HTTP_X_FORWARDED_PROTO"]
        if path in self._probes:
            return self._probes[path]
        return self._pages if is_known_host(environ, self._allowed_hosts) else self._unknown_host

    def _is_virtual_host(self, environ: Environ) -> bool:
        host = environ.get("HTTP_HOST", "").partition(":")[0].lower()
        return self._suffix is not None and host.endswith(self._suffix)
