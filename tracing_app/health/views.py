"""Liveness and readiness over HTTP."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

from .base import Check, overall

logger = logging.getLogger(__name__)


@require_safe
def livez(request: HttpRequest) -> HttpResponse:
    """200 as long as the process serves requests."""
    return JsonResponse({"status": "ok"})


def ready_view(checks: Callable[[], Sequence[Check]]) -> Callable[[HttpRequest], HttpResponse]:
    """A view that runs ``checks``: 200 when each is ok or degraded, 503 with Retry-After otherwise.

    What is wrong stands in the log only: anybody may ask.
    """

    @require_safe
    def readyz(request: HttpRequest) -> HttpResponse:
        outcomes = [check.run() for check in checks()]
        for health in outcomes:
            if health.status != "ok":
                logger.warning("%s is %s: %s", health.name, health.status, health.detail)
        status = overall(outcomes)
        report = {
            "status": status,
            "checks": {
                health.name: {"status": health.status, "ms": round(health.seconds * 1e3, 1)}
                for health in outcomes
            },
        }
        response = JsonResponse(report, status=503 if status == "failed" else 200)
        if status == "failed":
            response["Retry-After"] = "2"
        return response

    return readyz
