"""The state of this process's trace export, for readiness (degraded at most) and for operators."""

from __future__ import annotations

import dataclasses
from typing import Any

from rest_framework.authentication import BasicAuthentication, SessionAuthentication
from rest_framework.permissions import IsAdminUser
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from tracing_app.logs.log_export import log_export_stats
from tracing_app.provider import current_tracing, export_stats

from .base import Check


def exporter_check() -> Check:
    """Uploads go on without a collector, so an export that fails is no reason to be unready."""
    return Check("trace export", _probe, is_vital=False)


def _probe() -> str:
    current = export_stats()
    if current is None:
        return "nothing is exported"
    if current.state != "healthy":
        raise RuntimeError(f"trace export is {current.state}: {current.last_error}")
    return "healthy"


class TracingHealthView(APIView):
    """``/health/tracing``: the statistics of the worker process that answers, for staff of the admin: of the
    export (to the store where there is no collector), of sampling, and of the store beside a collector.

    What went wrong last names hosts, so it is not for everybody. Times are Unix seconds.
    """

    authentication_classes = [SessionAuthentication, BasicAuthentication]
    permission_classes = [IsAdminUser]
    renderer_classes = [JSONRenderer]

    def get(self, request: Request) -> Response:
        tracing, logs = current_tracing(), log_export_stats()
        report: dict[str, Any] = {"state": "off"}
        if tracing is not None:
            report = dataclasses.asdict(tracing.worker.stats())
            report["sampling"] = dataclasses.asdict(tracing.sampler.stats())
            if tracing.exporter is not None and tracing.store is not None:
                report["store"] = dataclasses.asdict(tracing.store.stats())
        if logs is not None:
            report["logs"] = dataclasses.asdict(logs)
        return Response(report)
