"""Upload records in the admin: read-only, searchable."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import admin
from django.http import HttpRequest

from uploads.models import UploadRecord

if TYPE_CHECKING:
    _ModelAdmin = admin.ModelAdmin[UploadRecord]
else:
    _ModelAdmin = admin.ModelAdmin


@admin.register(UploadRecord)
class UploadRecordAdmin(_ModelAdmin):
    list_display = [
        "started_at",
        "bucket",
        "key",
        "state",
        "error_code",
        "size",
        "method",
        "principal",
        "duration",
    ]
    list_filter = ["state", "bucket", "method", "error_code", "started_at"]
    search_fields = ["key", "request_id", "upload_digest", "principal", "etag"]
    search_help_text = "Key, request id, principal, ETag or digest of an upload id"
    date_hierarchy = "started_at"
    show_full_result_count = False
    list_per_page = 50
    exclude = ["upload_id"]

    @admin.display(description="Seconds")
    def duration(self, record: UploadRecord) -> str:
        if record.finished_at is None:
            return "-"
        return f"{(record.finished_at - record.started_at).total_seconds():.3f}"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: UploadRecord | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: UploadRecord | None = None) -> bool:
        return False
