"""Gives every request its trace id, which is its request id, and tells it to the client."""

from __future__ import annotations

import re
from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase

from tracing_app.api import new_trace_id, trace

# Version 00 ends after the flags; a later version may go on after another dash.
_TRACEPARENT = re.compile(
    r"(?P<version>(?!ff)[0-9a-f]{2})-(?!0{32})(?P<trace_id>[0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}"
    r"(?P<rest>-.*)?"
)

GetResponse = Callable[[HttpRequest], HttpResponseBase]


class TraceMiddleware:
    """Continues the trace of a valid ``traceparent`` (W3C Trace Context, section 3.2), or begins one."""

    def __init__(self, get_response: GetResponse) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        trace_id = incoming_trace_id(request.META.get("HTTP_TRACEPARENT", "")) or new_trace_id()
        with trace(trace_id):
            response = self._get_response(request)
        response["x-amz-request-id"] = trace_id
        return response


def incoming_trace_id(traceparent: str) -> str | None:
    """The trace id of a ``traceparent`` header; None when it is malformed, which begins a new trace."""
    match = _TRACEPARENT.fullmatch(traceparent.strip(" \t"))
    if match is None or (match["version"] == "00" and match["rest"]):
        return None
    return match["trace_id"]
