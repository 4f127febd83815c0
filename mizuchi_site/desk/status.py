"""The first page: how the gateway is at a glance."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse

from mizuchi_site.status import current_status
from uploads.models import UploadRecord
from uploads.statistics.window import WINDOWS

from .page import DeskView

_LABELS: Final = {"15m": "15 minutes", "1h": "1 hour", "24h": "24 hours"}
_REFRESH_SECONDS: Final = {"15m": 5, "1h": 10, "24h": 10}


class StatusPage(DeskView):
    """Rendered whole; a script refreshes it from ``/api/v1/status/`` and draws its charts.

    A ``window`` that is none shows the shortest.
    """

    title = "Status"
    permission = "mizuchi_site.view_status"
    template_name = "desk/status.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        window = WINDOWS.get(self.request.GET.get("window", ""), WINDOWS["15m"])
        return super().get_context_data(
            status=current_status(window),
            windows=[{"name": name, "label": label} for name, label in _LABELS.items()],
            window_label=_LABELS[window.name],
            refresh_seconds=_REFRESH_SECONDS[window.name],
            **_links(self.request),
            **kwargs,
        )


def _links(request: HttpRequest) -> dict[str, str]:
    """Where figures lead the user; "" for what is not theirs to see. Some end where a value belongs."""
    uploads = traces = ""
    if request.user.has_perm("uploads.view_uploadrecord"):
        uploads = reverse("admin:uploads_uploadrecord_changelist") + "?"
    if request.user.has_perm("mizuchi_site.view_traces"):
        traces = reverse("admin:traces") + "?"
    failed = urlencode({"state": UploadRecord.State.FAILED})
    return {
        "failed_uploads": uploads and uploads + failed,
        "bucket_uploads": uploads and f"{uploads}bucket=",
        "failed_traces": traces and f"{traces}outcome=error",
        "slow_traces": traces and f"{traces}slower_than_ms=",
    }
