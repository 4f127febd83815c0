"""The page on which staff uploads files in the browser."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.urls import reverse

from authz.apps import authz_app
from authz.key_template import expand_template
from authz.sts.staff import staff_principal
from uploads.config import Limits

from .page import DeskView


@dataclass(frozen=True, slots=True)
class OpenBucket:
    """A bucket that takes uploads in the browser. ``own_folder``: what keys of the user begin with; may be
    empty."""

    name: str
    limits: Limits
    own_folder: str


class UploadPage(DeskView):
    """Its scripts send files to the S3 API, by requests that ``/api/v1/browser-uploads/`` signs."""

    title = "Upload files"
    permission = "mizuchi_site.upload_in_browser"
    template_name = "desk/upload_page.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        user = self.request.user
        return super().get_context_data(
            buckets=open_buckets(staff_principal(user.get_username())),
            signing_url=reverse("rest:browser-uploads"),
            **kwargs,
        )


def open_buckets(principal: str) -> list[OpenBucket]:
    """In the order of the configuration."""
    rules = authz_app().config.buckets
    return [
        OpenBucket(bucket.name, bucket.limits, _own_folder(rules[bucket.name].key_template, principal))
        for bucket in settings.UPLOADS.buckets
        if rules[bucket.name].browser_upload
    ]


def _own_folder(template: str | None, principal: str) -> str:
    return "" if template is None else expand_template(template, principal)
