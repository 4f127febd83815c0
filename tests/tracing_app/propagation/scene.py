"""A request with these raw headers, served behind the middleware by a view that calls two storages."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import pytest
from django.http import HttpRequest, HttpResponse
from opentelemetry import baggage

from tests.environs import environ_for
from tests.tracing_app.recording.recorders import Collected
from tracing_app import api
from tracing_app.middleware import TraceMiddleware
from tracing_app.recording.choices import Always, ParentBased
from tracing_app.recording.data import SpanData
from tracing_app.recording.provider import LightTracerProvider
from tracing_app.recording.samplers import HeadSampler
from tracing_app.recording.stage import INSTRUMENTS

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
SAMPLED = f"00-{TRACE}-{PARENT}-01"
LISTED, UNLISTED = ("storage.internal", 9000), ("elsewhere.example", 443)

RawHeaders = Iterable[tuple[str, str]]


def environ_of(headers: RawHeaders) -> dict[str, object]:
    """As the server builds it. Values are Latin-1, names any case."""
    environ = environ_for(b"PUT /files/key HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n\r\n")
    for name, value in headers:  # also what this server refuses: others may not
        key = "HTTP_" + name.upper().replace("-", "_")
        environ[key] = f"{environ[key]},{value}" if key in environ else value
    return environ


def request_id(headers: RawHeaders) -> str:
    """What a request is answered while nothing is traced."""
    return serve(TraceMiddleware(lambda request: HttpResponse()), headers)


def serve(middleware: TraceMiddleware, headers: RawHeaders) -> str:
    request = HttpRequest()
    request.META = environ_of(headers)
    response = middleware(request)
    response.close()
    return response["x-amz-request-id"]


@dataclass
class Scene:
    """``to_listed`` and ``to_unlisted`` are the headers of the calls to two storages, ``baggage`` what the
    API gave meanwhile."""

    middleware: TraceMiddleware
    collected: Collected
    listed: tuple[str, int] = LISTED
    to_listed: dict[str, str] = field(default_factory=dict)
    to_unlisted: dict[str, str] = field(default_factory=dict)
    baggage: dict[str, object] = field(default_factory=dict)

    def send(self, *headers: tuple[str, str]) -> SpanData:
        """The root span of a request with these headers."""
        self.request_id = serve(self.middleware, headers)
        return self.collected.named("PUT")

    def call_storages(self) -> None:
        with api.stage("S3.PutObject", kind="client"):
            api.inject_context(self.to_listed, *self.listed)
            api.inject_context(self.to_unlisted, *UNLISTED)
            self.baggage = dict(baggage.get_all())


@pytest.fixture
def scene(monkeypatch: pytest.MonkeyPatch) -> Scene:
    collected = Collected()
    tracer = LightTracerProvider(HeadSampler(ParentBased(Always()), tail=True), collected).get_tracer("test")
    monkeypatch.setattr(INSTRUMENTS, "tracer", tracer)
    monkeypatch.setattr(INSTRUMENTS, "baggage_hosts", frozenset({"storage.internal:9000"}))

    def view(request: HttpRequest) -> HttpResponse:
        scene.call_storages()
        return HttpResponse()

    scene = Scene(TraceMiddleware(view, tracer), collected)
    return scene
