"""Deliveries of webhooks in the admin: what waits, was delivered and is dead; replayed one by one or many."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Literal

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html, format_html_join

from authz.shown import tag, to_the_second
from mizuchi_site.audit_log import note_changed
from uploads.apps import configured_gateway
from uploads.models import WebhookDelivery
from uploads.notifications.factory import configured_webhooks
from uploads.notifications.queue import MAX_REPLAYED
from uploads.notifications.replay import replay

if TYPE_CHECKING:
    _ModelAdmin = admin.ModelAdmin[WebhookDelivery]
else:
    _ModelAdmin = admin.ModelAdmin

RIGHT: Final = "uploads.replay_webhookdelivery"
_TONES: Final[dict[str, Literal["ok", "warn", "bad"]]] = {"PENDING": "warn", "DELIVERED": "ok", "DEAD": "bad"}
_KEY_CHARACTERS = 40


class WebhookFilter(admin.SimpleListFilter):
    """By the webhooks of the configuration, which costs no query."""

    title = "webhook"
    parameter_name = "to"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        for bucket, webhook in configured_webhooks(configured_gateway().config):
            name = f"{bucket}/{webhook.name}"
            yield name, name

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[WebhookDelivery]
    ) -> QuerySet[WebhookDelivery]:
        if not self.value():
            return queryset
        bucket, _, name = str(self.value()).partition("/")
        return queryset.filter(bucket=bucket, webhook=name)


class WebhookDeliveryAdmin(_ModelAdmin):
    """The newest first. There are as many as ``uploads.notifications.retention`` keeps."""

    list_display = ["stored", "shown_state", "receiver", "place", "tries", "last_error"]
    list_filter = ["state", WebhookFilter]
    list_per_page = 50
    list_max_show_all = 0
    show_facets = admin.ShowFacets.NEVER
    show_full_result_count = False
    sortable_by = ()
    search_fields = ["event_id", "request_id"]
    search_help_text = "A whole event id (webhook-id) or request id"
    actions = ["replay"]
    change_form_template = "desk/delivery.html"
    fieldsets = [
        (None, {"fields": ["shown_state", "receiver", "last_error", "next_try", "ended"]}),
        ("Event", {"fields": ["event_name", "bucket", "key", "stored", "event_id", "upload"]}),
        ("Tries", {"fields": ["tries", "replays", "latest_tries"]}),
        ("Body", {"fields": ["content_type", "body"]}),
    ]
    readonly_fields = [
        "shown_state", "receiver", "next_try", "ended", "stored", "upload", "tries", "latest_tries", "body",
    ]  # fmt: skip

    class Media:
        css = {"all": ["desk/changelist.css"]}

    @admin.display(description="stored (UTC)")
    def stored(self, delivery: WebhookDelivery) -> str:
        return to_the_second(delivery.created_at)

    @admin.display(description="state")
    def shown_state(self, delivery: WebhookDelivery) -> str:
        return tag(delivery.state.lower(), _TONES[delivery.state])

    @admin.display(description="webhook")
    def receiver(self, delivery: WebhookDelivery) -> str:
        return f"{delivery.bucket}/{delivery.webhook}"

    @admin.display(description="key")
    def place(self, delivery: WebhookDelivery) -> str:
        """The end of a long key tells more than its beginning."""
        key = delivery.key
        return key if len(key) <= _KEY_CHARACTERS else f"…{key[1 - _KEY_CHARACTERS :]}"

    @admin.display(description="tries")
    def tries(self, delivery: WebhookDelivery) -> str:
        return str(delivery.attempts)

    @admin.display(description="next try (UTC)")
    def next_try(self, delivery: WebhookDelivery) -> str:
        if delivery.state != WebhookDelivery.State.PENDING:
            return "none"
        return "it is being sent" if delivery.claimed_by else to_the_second(delivery.due_at)

    @admin.display(description="ended (UTC)")
    def ended(self, delivery: WebhookDelivery) -> str:
        return to_the_second(delivery.finished_at) if delivery.finished_at else "not yet"

    @admin.display(description="upload")
    def upload(self, delivery: WebhookDelivery) -> str:
        url = reverse("admin:uploads_uploadrecord_changelist")
        return format_html('<a href="{}?request_id={}">{}</a>', url, delivery.request_id, delivery.request_id)

    @admin.display(description="latest tries (UTC)")
    def latest_tries(self, delivery: WebhookDelivery) -> str:
        """The newest first, each with its trace, which may not be kept."""
        lines = format_html_join(
            "",
            "<li>{} · {} ms · {} · {}</li>",
            (
                (
                    to_the_second(datetime.fromisoformat(each["at"])),
                    round(each["ms"]),
                    each["error"] or f"delivered ({each['status']})",
                    _trace(each["trace_id"]),
                )
                for each in reversed(delivery.history)
            ),
        )
        return format_html("<ul>{}</ul>", lines) if lines else "none"

    @admin.display(description="body")
    def body(self, delivery: WebhookDelivery) -> str:
        text = json.dumps(json.loads(delivery.payload), indent=2, ensure_ascii=False)
        return format_html("<pre>{}</pre>", text)

    @admin.action(description="Replay the selected deliveries", permissions=["replay"])
    def replay(self, request: HttpRequest, queryset: QuerySet[WebhookDelivery]) -> None:
        number = replay_noted(request, queryset)
        more = f" {MAX_REPLAYED} at a time: there may be more." if number == MAX_REPLAYED else ""
        messages.success(request, f"Deliveries queued again: {number}.{more}")

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """A page to read. Its one button replays."""
        may_replay = self.has_replay_permission(request)
        if request.method == "POST" and "_replay" in request.POST:
            if not may_replay:
                raise PermissionDenied
            number = replay_noted(request, self.get_queryset(request).filter(pk=object_id))
            messages.success(request, "Queued again." if number else "It waits already, or has no webhook.")
            return HttpResponseRedirect(request.path)
        context = {"may_replay": may_replay, **(extra_context or {})}
        return super().change_view(request, object_id, form_url, context)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[WebhookDelivery], search_term: str
    ) -> tuple[QuerySet[WebhookDelivery], bool]:
        term = search_term.strip().lower()
        return (queryset.filter(Q(event_id=term) | Q(request_id=term)) if term else queryset), False

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        title = "Webhook deliveries, newest first"
        return super().changelist_view(request, {"title": title, **(extra_context or {})})

    def has_replay_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(RIGHT)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: WebhookDelivery | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: WebhookDelivery | None = None) -> bool:
        return False


def replay_noted(request: Any, deliveries: QuerySet[WebhookDelivery]) -> int:
    """Replay, with a line in the audit log for each; returns how many."""
    with transaction.atomic():
        replayed = replay(deliveries)
        for delivery in replayed:
            note_changed(request.user, delivery, ["state"])
    return len(replayed)


def _trace(trace_id: str) -> str:
    if not trace_id:
        return "not traced"
    return format_html('<a href="{}">trace</a>', reverse("admin:trace", args=[trace_id]))
