"""Uploads under way, over all workers and nodes."""

from __future__ import annotations

from typing import Any

from uploads.progress.board import uploads_in_flight

from .page import DeskView


class UploadsInFlight(DeskView):
    """Its script keeps it up to date."""

    title = "Uploads in flight"
    permission = "uploads.view_uploadrecord"
    template_name = "desk/uploads_in_flight.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(board=uploads_in_flight(), **kwargs)
