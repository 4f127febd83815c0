"""Every page of the desk that is not a model's."""

from __future__ import annotations

from django.http import HttpRequest

from .audit import AuditLog
from .buckets import BucketList
from .configuration import ConfigurationPage
from .diagnoses import DiagnosisList
from .page import DeskView, Page
from .policy_test import PolicyTest
from .status import StatusPage
from .traces import TraceList
from .tracing_history import TracingHistory
from .tracing_settings import TracingSettings
from .upload_detail import UploadDetail
from .upload_list import UploadList
from .upload_page import UploadPage
from .uploads_in_flight import UploadsInFlight
from .waterfall import Waterfall

PAGES: tuple[Page, ...] = (
    Page("status/", "status", StatusPage),
    # The names that Django gives a model's pages, so that its links lead here.
    Page("uploads/uploadrecord/", "uploads_uploadrecord_changelist", UploadList),
    Page("uploads/uploadrecord/<int:pk>/change/", "uploads_uploadrecord_change", UploadDetail),
    Page("uploads-in-flight/", "uploads_in_flight", UploadsInFlight),
    Page("traces/", "traces", TraceList),
    Page("traces/<str:trace_id>/", "trace", Waterfall),
    Page("upload/", "upload_page", UploadPage),
    Page("tracing/", "tracing_settings", TracingSettings),
    Page("tracing/history/", "tracing_history", TracingHistory),
    Page("configuration/", "configuration", ConfigurationPage),
    Page("buckets/", "buckets", BucketList),
    Page("policy-test/", "policy_test", PolicyTest),
    Page("diagnoses/", "diagnoses", DiagnosisList),
    Page("audit/", "audit", AuditLog),
)


def first_page(request: HttpRequest) -> type[DeskView] | None:
    """The first page that the user of the request may see."""
    return next((page.view for page in PAGES if request.user.has_perm(page.view.permission)), None)
