"""``/metrics``: who may read it, and in which format."""

from __future__ import annotations

import hmac
import time
from collections.abc import Callable, Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from tracing_app.loopback import is_loopback

from .exposition import OPENMETRICS_TYPE, TEXT_TYPE, as_openmetrics, as_text, prefers_openmetrics
from .families import declared_families
from .meter import Meter

_FOR_THIS_MACHINE = "Metrics are for this machine only, unless metrics.token is configured.\n"
_FOR_BEARERS = "Metrics are for those who present the bearer token that metrics.token configures.\n"


def metrics_view(
    meter: Meter, token: str | None, wall_clock: Callable[[], float] = time.time
) -> Callable[[HttpRequest], HttpResponse]:
    """A view of all workers' numbers. With a ``token``: 401 for who does not present it; without: 403 for
    who is not on this machine."""

    @require_safe
    def metrics(request: HttpRequest) -> HttpResponse:
        if token is not None and not _presents(request.META, token):
            answer = HttpResponse(_FOR_BEARERS, status=401, content_type="text/plain; charset=utf-8")
            answer["WWW-Authenticate"] = "Bearer"
            return answer
        if token is None and not _is_from_here(request.META):
            return HttpResponse(_FOR_THIS_MACHINE, status=403, content_type="text/plain; charset=utf-8")
        readings = meter.total().readings
        families = tuple(declared_families().values())
        if prefers_openmetrics(request.META.get("HTTP_ACCEPT", "")):
            text, content_type = as_openmetrics(families, readings, now=wall_clock()), OPENMETRICS_TYPE
        else:
            text, content_type = as_text(families, readings), TEXT_TYPE
        response = HttpResponse(text, content_type=content_type)
        response["Vary"] = "Accept"
        return response

    return metrics


def _presents(environ: Mapping[str, Any], token: str) -> bool:
    """RFC 6750, section 2.1. Takes the same time however much of a token is right."""
    scheme, _, presented = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
    given = presented.strip().encode("utf-8", "surrogateescape")
    return scheme.lower() == "bearer" and hmac.compare_digest(given, token.encode())


def _is_from_here(environ: Mapping[str, Any]) -> bool:
    """Not what a proxy on this machine hands on for others: those say for whom."""
    is_handed_on = any(
        name.startswith("HTTP_X_FORWARDED_") or name in ("HTTP_FORWARDED", "HTTP_VIA", "HTTP_X_REAL_IP")
        for name in environ
    )
    return is_loopback(environ.get("REMOTE_ADDR", "")) and not is_handed_on
