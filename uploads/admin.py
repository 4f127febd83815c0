"""Upload records in the admin: read-only, searchable, and as quick with millions of them as with ten.

No page counts, sorts or reads the whole table: the newest come first, in the order of the primary key,
and at most ``LISTED`` of them are counted.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.defaultfilters import filesizeformat
from django.utils import timezone
from django.utils.html import format_html

from uploads.apps import configured_gateway
from uploads.models import UploadRecord

if TYPE_CHECKING:
    _ModelAdmin = admin.ModelAdmin[UploadRecord]
    _Paginator = Paginator[UploadRecord]
else:
    _ModelAdmin = admin.ModelAdmin
    _Paginator = Paginator

LISTED = 10_000
_FAILURES_READ = 1_000
_KEY_CHARACTERS = 50
_ID = re.compile(r"[0-9a-fA-F]{32}")


def _to_the_second(moment: datetime) -> str:
    text = f"{timezone.localtime(moment):%Y-%m-%d %H:%M:%S}"
    return format_html('<span class="nowrap">{}</span>', text)


class NewestPaginator(_Paginator):
    """Pages of the newest ``LISTED`` of what was found."""

    @cached_property
    def count(self) -> int:
        found: QuerySet[UploadRecord] = self.object_list  # type: ignore[assignment]
        return found[:LISTED].count()


class BucketFilter(admin.SimpleListFilter):
    """By the buckets of the configuration, which costs no query."""

    title = "bucket"
    parameter_name = "bucket"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        return [(name, name) for name in configured_gateway().buckets]

    def queryset(self, request: HttpRequest, queryset: QuerySet[UploadRecord]) -> QuerySet[UploadRecord]:
        return queryset.filter(bucket=self.value()) if self.value() else queryset


class ErrorFilter(admin.SimpleListFilter):
    """By the codes of the newest failures."""

    title = "error code"
    parameter_name = "error_code"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        failed = UploadRecord.objects.filter(state=UploadRecord.State.FAILED)
        codes = set(failed.values_list("error_code", flat=True)[:_FAILURES_READ])
        return [(code, code) for code in sorted(codes)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[UploadRecord]) -> QuerySet[UploadRecord]:
        return queryset.filter(error_code=self.value()) if self.value() else queryset


@admin.register(UploadRecord)
class UploadRecordAdmin(_ModelAdmin):
    list_display = ["started", "state", "error_code", "bucket", "short_key", "length", "principal", "seconds"]
    list_display_links = ["started", "short_key"]
    list_filter = ["state", ErrorFilter, BucketFilter, "method", "started_at"]
    list_per_page = 50
    list_max_show_all = 0
    paginator = NewestPaginator
    show_facets = admin.ShowFacets.NEVER
    show_full_result_count = False
    sortable_by = ()
    search_fields = ["key"]
    search_help_text = "Part of a key, or a whole request id, ETag, principal or digest of an upload id"
    fieldsets = [
        (None, {"fields": ["state", "error_code", "request_id"]}),
        ("Object", {"fields": ["bucket", "key", "size", "content_type", "etag", "version_id"]}),
        ("Verified", {"fields": ["checksums", "checksum_type"]}),
        ("Upload", {"fields": ["principal", "auth_method", "method", "upload_digest", "worker"]}),
        ("Time (UTC)", {"fields": ["started", "finished", "seconds"]}),
    ]
    readonly_fields = ["started", "finished", "seconds"]

    @admin.display(description="started")
    def started(self, record: UploadRecord) -> str:
        return _to_the_second(record.started_at)

    @admin.display(description="finished")
    def finished(self, record: UploadRecord) -> str:
        return "-" if record.finished_at is None else _to_the_second(record.finished_at)

    @admin.display(description="seconds")
    def seconds(self, record: UploadRecord) -> str:
        if record.finished_at is None:
            return "-"
        return f"{(record.finished_at - record.started_at).total_seconds():.3f}"

    @admin.display(description="key")
    def short_key(self, record: UploadRecord) -> str:
        """The end of a long key tells more than its beginning."""
        key = record.key
        return key if len(key) <= _KEY_CHARACTERS else f"…{key[1 - _KEY_CHARACTERS :]}"

    @admin.display(description="size")
    def length(self, record: UploadRecord) -> str:
        return "-" if record.size is None else filesizeformat(record.size)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[UploadRecord], search_term: str
    ) -> tuple[QuerySet[UploadRecord], bool]:
        """What looks like an id is looked up as one, by its index; only other terms are searched for."""
        term = search_term.strip()
        if not term:
            return queryset, False
        if _ID.fullmatch(term):
            named = queryset.filter(Q(request_id=term.lower()) | Q(upload_digest=term.lower()))
            if named.exists():
                return named, False
        return queryset.filter(Q(key__icontains=term) | Q(etag=term) | Q(principal=term)), False

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        title = f"Uploads, newest first (at most {LISTED:,} are listed)"
        return super().changelist_view(request, {"title": title, **(extra_context or {})})

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: UploadRecord | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: UploadRecord | None = None) -> bool:
        return False
