"""Every page of the desk that is not a model's."""

from __future__ import annotations

from django.http import HttpRequest

from .audit import AuditLog
from .buckets import BucketList
from .diagnoses import DiagnosisList
from .configuration import ConfigurationPage
from .page import DeskView, Page
from .status import StatusPage
from .policy_test import PolicyTest
from .traces import TraceList
from .tracing_history import TracingHistory
from .tracing_settings import TracingSettings
from .upload_page import UploadPage
from .waterfall import Waterfall

PAGES: tuple[Page, ...] = (
    Page("status/", "status", StatusPage),
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
