"""One upload."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404

from mizuchi_site.upload_details import details_of
from uploads.models import UploadRecord

from .diagnosis_link import diagnosis_url
from .page import DeskView

_TITLE_CHARACTERS = 80


class UploadDetail(DeskView):
    """What is known of an upload. Decisions and traces are for who may see those."""

    title = "Upload"
    permission = "uploads.view_uploadrecord"
    template_name = "desk/upload.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        record = get_object_or_404(UploadRecord, pk=kwargs["pk"])
        context = self.get_context_data(
            title=f"Upload of {record.key[-_TITLE_CHARACTERS:]}",
            details=details_of(record),
            upload=record,
            diagnoses=diagnosis_url(request.user, record.error_code, record.request_id),
        )
        return self.render_to_response(context)
