"""Buckets: where they lead, what they accept, and from whom."""

from __future__ import annotations

from typing import Any

from mizuchi_site.bucket_overview import bucket_overviews

from .page import DeskView


class BucketList(DeskView):
    """Every bucket of the configuration, with its storage as it is now."""

    title = "Buckets"
    permission = "mizuchi_site.view_buckets"
    template_name = "desk/buckets.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(buckets=bucket_overviews(), **kwargs)
