"""Every health check of every room, as the readiness probe runs them."""

from __future__ import annotations

from collections.abc import Sequence

from authz.health import policy_check
from mizuchi_site.server.drain import is_draining
from tracing_app.health.base import Check
from tracing_app.health.exporter import exporter_check
from uploads import health
from uploads.apps import configured_gateway


def checks() -> Sequence[Check]:
    return [
        Check("server", _not_draining),
        exporter_check(),
        policy_check(),
        *health.checks(configured_gateway()),
    ]


def _not_draining() -> str:
    if is_draining():
        raise RuntimeError("the server is shutting down")
    return "serving"
