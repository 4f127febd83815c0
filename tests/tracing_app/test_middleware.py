from __future__ import annotations

import pytest
from django.http import HttpRequest, HttpResponse

from tracing_app.api import new_trace_id, trace_id
from tracing_app.middleware import TraceMiddleware, incoming_trace_id

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = "b7ad6b7169203331"


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (f"00-{TRACE}-{PARENT}-01", TRACE),
        (f"00-{TRACE}-{PARENT}-00", TRACE),
        (f" 00-{TRACE}-{PARENT}-01\t", TRACE),
        (f"cc-{TRACE}-{PARENT}-01-what-comes-later", TRACE),
        (f"ff-{TRACE}-{PARENT}-01", None),
        (f"00-{'0' * 32}-{PARENT}-01", None),
        (f"00-{TRACE}-{'0' * 16}-01", None),
        (f"00-{TRACE.upper()}-{PARENT}-01", None),
        (f"00-{TRACE[1:]}-{PARENT}-01", None),
        (f"00-{TRACE}-{PARENT}-1", None),
        (f"00-{TRACE}-{PARENT}-01-extra", None),
        (f"00-{TRACE}-{PARENT}-01,00-{TRACE}-{PARENT}-01", None),
        ("", None),
    ],
    ids=[
        "sampled",
        "not sampled",
        "white space",
        "a later version",
        "version ff",
        "zero trace id",
        "zero parent id",
        "upper case",
        "short",
        "short flags",
        "version 00 has nothing more",
        "twice",
        "none",
    ],
)
def test_incoming_trace_id(header: str, expected: str | None) -> None:
    assert incoming_trace_id(header) == expected


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
