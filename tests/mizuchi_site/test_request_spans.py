"""Root spans of the S3 API and of pages, through the applications that the front door leads to."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.test import override_settings
from django.urls import path
from opentelemetry.trace import TracerProvider

from mizuchi_site.front_door import FrontDoor, LeanHandler
from mizuchi_site.unknown_host import unknown_host
from tests.contracts.http_spans import Application, BuildApplication, HttpSpansContract, View
from tracing_app.api import name_request
from tracing_app.middleware import TraceMiddleware
from tracing_app.pages import TracedPages, stop_tracing_pages, trace_pages


class TestS3Path(HttpSpansContract):
    """``TraceMiddleware`` around one view that names the request, as the S3 API does."""

    name = "GET s3.Test"
    route = "/{bucket}/{key}"
    path = "/bucket/{what}"

    @pytest.fixture
    def application(self) -> BuildApplication:
        def build(view: View, provider: TracerProvider) -> Application:
            def named(request: HttpRequest) -> HttpResponseBase:
                if "HTTP_X_UNREADABLE" in request.META:
                    raise SuspiciousOperation(request.META["HTTP_X_UNREADABLE"])
                if request.method == "GET":
                    name_request(self.name, {"http.route": self.route})
                return view(request.path.rpartition("/")[2])

            return LeanHandler(
                named, self.route, partial(TraceMiddleware, tracer=provider.get_tracer("mizuchi"))
            )

        return build

    @pytest.fixture
    def refused(self) -> dict[str, str]:
        return {"HTTP_X_UNREADABLE": "cannot-be-read.example"}


class TestPages(HttpSpansContract):
    """The instrumentation of Django behind the front door, with the middleware of the real settings."""

    name = "GET /admin/test/<slug:what>/"
    route = "/admin/test/<slug:what>/"
    path = "/admin/test/{what}/"

    @pytest.fixture
    def application(self) -> Iterator[BuildApplication]:
        middleware = list(settings.MIDDLEWARE)

        def build(view: View, provider: TracerProvider) -> Application:
            def page(request: HttpRequest, what: str) -> HttpResponseBase:
                return view(what)

            urls: Any = (path("admin/test/<slug:what>/", page),)
            override = override_settings(ROOT_URLCONF=urls, MIDDLEWARE=middleware)
            override.enable()
            overridden.append(override)
            trace_pages(provider, position=2)
            lean = partial(TraceMiddleware, tracer=provider.get_tracer("mizuchi"))
            return FrontDoor(
                pages=TracedPages(WSGIHandler()),
                probes={},
                s3=LeanHandler(page, "", lean),
                sts=LeanHandler(page, "", lean),
                unknown_host=LeanHandler(unknown_host, "", lean),
                domain=None,
                trusted_proxies=[],
                allowed_hosts=["127.0.0.1"],
            )

        overridden: list[override_settings] = []
        yield build
        stop_tracing_pages()
        for override in overridden:
            override.disable()

    @pytest.fixture
    def refused(self) -> dict[str, str]:
        return {"HTTP_HOST": "elsewhere.example"}
