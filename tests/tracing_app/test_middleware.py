from __future__ import annotations

import pytest
from django.http import HttpRequest, HttpResponse
from opentelemetry.trace import StatusCode

from tests.tracing_app.recording.recorders import Collected
from tracing_app.api import new_trace_id, trace_id
from tracing_app.middleware import TraceMiddleware
from tracing_app.recording.choices import Always, Never, ParentBased, RatioCap
from tracing_app.recording.data import TraceData
from tracing_app.recording.provider import LightTracerProvider
from tracing_app.recording.samplers import HeadSampler

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = "b7ad6b7169203331"


@pytest.mark.parametrize("header", [f"00-{TRACE}-{PARENT}-01", "malformed"])
def test_the_request_id_is_the_trace_id(header: str) -> None:
    seen = []

    def view(request: HttpRequest) -> HttpResponse:
        seen.append(trace_id())
        return HttpResponse()

    request = HttpRequest()
    request.META["HTTP_TRACEPARENT"] = header

    response = TraceMiddleware(view)(request)

    assert response["x-amz-request-id"] == seen[0]
    assert (seen[0] == TRACE) == header.startswith("00-")
    assert trace_id() == ""


def test_new_trace_ids_are_32_hex_digits_and_differ() -> None:
    ids = {new_trace_id() for _ in range(100)}

    assert len(ids) == 100
    assert all(len(each) == 32 and int(each, 16) for each in ids)


@pytest.mark.parametrize(("joins", "is_kept"), [(True, True), (False, False)], ids=["join", "link"])
def test_an_upload_that_was_sampled_stays_sampled(joins: bool, is_kept: bool) -> None:
    """Its context was sealed here, so the cap on what clients ask for does not count; a link is no parent."""
    sampler = HeadSampler(ParentBased(Never(), RatioCap(0.0)), tail=False)
    kept: list[TraceData] = []

    class Sink:
        def offer(self, trace: TraceData) -> None:
            kept.append(trace)

    tracer = LightTracerProvider(sampler, Sink()).get_tracer("tests")
    request = HttpRequest()
    request.META.update(
        {"REQUEST_METHOD": "PUT", "wsgi.url_scheme": "http", "SERVER_NAME": "h", "SERVER_PORT": "80"}
    )
    middleware = TraceMiddleware(
        lambda request: HttpResponse(), tracer, earlier=lambda environ: f"00-{TRACE}-{PARENT}-01", joins=joins
    )

    middleware(request).close()

    assert bool(kept) is is_kept


@pytest.mark.parametrize(
    ("status", "code", "error", "is_error"),
    [
        (200, None, None, False),
        (403, "AccessDenied", "AccessDenied", False),
        (404, None, None, False),
        (503, "SlowDown", "SlowDown", True),
        (503, None, "503", True),
    ],
)
def test_the_root_span_has_the_code_of_an_error_answer(
    status: int, code: str | None, error: str | None, is_error: bool
) -> None:
    """``error_code`` of the response, as S3 and STS answer; the status where a fault of ours has no code."""
    sink = Collected()
    tracer = LightTracerProvider(HeadSampler(Always(), tail=False), sink).get_tracer("tests")
    request = HttpRequest()
    request.META.update({"REQUEST_METHOD": "PUT", "wsgi.url_scheme": "http"})

    def view(request: HttpRequest) -> HttpResponse:
        response = HttpResponse(status=status)
        if code is not None:
            response.error_code = code  # type: ignore[attr-defined]
        return response

    TraceMiddleware(view, tracer)(request).close()

    (root,) = sink.spans
    assert root.attributes.get("error.type") == error
    assert root.status_code is (StatusCode.ERROR if is_error else StatusCode.UNSET)
