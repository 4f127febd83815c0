"""Spans that instrumentations and libraries start through the API join the trace of the request."""

from __future__ import annotations

import io

import pytest
from opentelemetry import trace
from opentelemetry.instrumentation.wsgi import OpenTelemetryMiddleware
from opentelemetry.trace import SpanKind, StatusCode

from tests.tracing_app.recording.recorders import REMOTE, light


def call(app, **environ):
    started: list[str] = []
    base = {
        "REQUEST_METHOD": "PUT",
        "PATH_INFO": "/files/key",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(),
    }
    response = app({**base, **environ}, lambda status, headers, exc_info=None: started.append(status))
    try:
        return started[0], b"".join(response)
    finally:
        response.close()


@pytest.fixture
def served():
    """A WSGI application under the public instrumentation, with a span of its own."""
    provider, collected = light()
    tracer = provider.get_tracer("mizuchi")

    def app(environ, start_response):
        with tracer.start_as_current_span("upload.put_object"):
            if environ["PATH_INFO"] == "/broken":
                raise OSError("disk full")
        start_response("200 OK", [])
        return [b"done"]

    return OpenTelemetryMiddleware(app, tracer_provider=provider), collected


def test_instrumented_request_is_one_trace(served):
    app, collected = served
    assert call(app) == ("200 OK", b"done")
    (only,) = collected.traces
    inner, server = only.spans
    assert (inner.name, server.kind) == ("upload.put_object", SpanKind.SERVER)
    assert inner.parent_span_id == server.context.span_id
    assert 200 in server.attributes.values()


def test_remote_context_of_the_headers_is_continued(served):
    app, collected = served
    header = f"00-{REMOTE.trace_id:032x}-{REMOTE.span_id:016x}-01"
    call(app, HTTP_TRACEPARENT=header, HTTP_TRACESTATE="vendor=opaque")
    inner, server = collected.spans
    assert (server.parent_span_id, server.is_parent_remote) == (REMOTE.span_id, True)
    assert inner.context.trace_id == server.context.trace_id == REMOTE.trace_id
    assert dict(inner.context.trace_state) == {"vendor": "opaque"}


def test_failed_request_is_an_error_in_both_spans(served):
    app, collected = served
    with pytest.raises(OSError, match="disk full"):
        call(app, PATH_INFO="/broken")
    inner, server = collected.spans
    assert inner.status_code is server.status_code is StatusCode.ERROR
    assert inner.events[0].attributes["exception.type"] == "OSError"


def test_proxy_tracer_made_before_the_provider_works(monkeypatch):
    provider, collected = light()
    early = trace.ProxyTracerProvider().get_tracer("library")
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", provider)
    with early.start_as_current_span("root"):
        early.start_span("child").end()
    assert [span.name for span in collected.spans] == ["child", "root"]
