"""Recent decisions of policies in the admin: read only, found by request id or principal."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final, Literal

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html
from django.utils.http import urlencode

from authz.apps import authz_app
from authz.jwt.principal import token_subject
from authz.models import PolicyDecision
from authz.shown import tag, to_the_second

if TYPE_CHECKING:
    _ModelAdmin = admin.ModelAdmin[PolicyDecision]
else:
    _ModelAdmin = admin.ModelAdmin

_TONES: Final[dict[str, Literal["ok", "warn", "bad"]]] = {"allow": "ok", "deny": "bad", "error": "warn"}
_KEY_CHARACTERS = 40


class BucketFilter(admin.SimpleListFilter):
    """By the buckets that have a policy, which costs no query."""

    title = "bucket"
    parameter_name = "bucket"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        return [(name, name) for name in authz_app().config.policies]

    def queryset(self, request: HttpRequest, queryset: QuerySet[PolicyDecision]) -> QuerySet[PolicyDecision]:
        return queryset.filter(bucket=self.value()) if self.value() else queryset


class ObedienceFilter(admin.SimpleListFilter):
    """By whether the policy was obeyed."""

    title = "policy"
    parameter_name = "obeyed"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        return [("yes", "Obeyed"), ("no", "In shadow")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[PolicyDecision]) -> QuerySet[PolicyDecision]:
        return queryset.filter(is_enforced=self.value() == "yes") if self.value() else queryset


class PolicyDecisionAdmin(_ModelAdmin):
    """The newest first. There are at most as many as ``authz.decision_log`` keeps."""

    list_display = ["decided", "told", "place", "operation", "principal", "decided_by"]
    list_filter = ["outcome", BucketFilter, ObedienceFilter]
    list_per_page = 50
    list_max_show_all = 0
    show_facets = admin.ShowFacets.NEVER
    show_full_result_count = False
    sortable_by = ()
    search_fields = ["request_id", "principal"]
    search_help_text = "A whole request id, or a part of a principal"
    fieldsets = [
        (None, {"fields": ["told", "decided_by", "decided"]}),
        ("Question", {"fields": ["principal", "action", "operation", "bucket", "key"]}),
        ("Request", {"fields": ["request_id", "elsewhere"]}),
    ]
    readonly_fields = ["told", "decided_by", "decided", "elsewhere"]

    class Media:
        css = {"all": ["desk/changelist.css"]}

    @admin.display(description="decided (UTC)")
    def decided(self, decision: PolicyDecision) -> str:
        return to_the_second(decision.decided_at)

    @admin.display(description="outcome")
    def told(self, decision: PolicyDecision) -> str:
        outcome = tag(decision.outcome, _TONES[decision.outcome])
        return outcome if decision.is_enforced else format_html("{} {}", outcome, tag("shadow"))

    @admin.display(description="bucket and key")
    def place(self, decision: PolicyDecision) -> str:
        """The end of a long key tells more than its beginning."""
        key = decision.key
        shown = key if len(key) <= _KEY_CHARACTERS else f"…{key[1 - _KEY_CHARACTERS :]}"
        return f"{decision.bucket}/{shown}" if key else decision.bucket

    @admin.display(description="decided by")
    def decided_by(self, decision: PolicyDecision) -> str:
        return f"{decision.engine or 'nobody'}: {decision.reason}, {decision.duration_ms:.1f} ms"

    @admin.display(description="see also")
    def elsewhere(self, decision: PolicyDecision) -> str:
        """The request's trace and upload, and the same question anew."""
        subject = token_subject(decision.principal)
        question = {
            "bucket": decision.bucket,
            "subject": decision.principal if subject is None else subject,
            "method": "sigv4" if subject is None else "jwt",
            "operation": decision.operation,
            "key": decision.key,
        }
        links = [
            _link("Trace", "admin:trace", decision.request_id),
            _link(
                "Upload", "admin:uploads_uploadrecord_changelist", query={"request_id": decision.request_id}
            ),
            _link("Ask the policy now", "admin:policy_test", query=question),
        ]
        return format_html(" · ".join(["{}"] * len(links)), *links)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[PolicyDecision], search_term: str
    ) -> tuple[QuerySet[PolicyDecision], bool]:
        term = search_term.strip()
        if not term:
            return queryset, False
        return queryset.filter(Q(request_id=term.lower()) | Q(principal__icontains=term)), False

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        title = "Decisions of policies, newest first"
        return super().changelist_view(request, {"title": title, **(extra_context or {})})

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: PolicyDecision | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: PolicyDecision | None = None) -> bool:
        return False


def _link(label: str, name: str, *args: str, query: dict[str, str] | None = None) -> str:
    """Plain words where there is no such page."""
    try:
        url = reverse(name, args=args)
    except NoReverseMatch:
        return label
    return format_html('<a href="{}{}">{}</a>', url, f"?{urlencode(query)}" if query else "", label)
