"""Access keys in the admin: made with their secret shown once, disabled, limited, never read back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html

from authz.apps import authz_app
from authz.credentials import assign_new_key
from authz.decision_admin import PolicyDecisionAdmin
from authz.key_states import STATES, expires_soon, of_state, state_of
from authz.models import AccessKey, PolicyDecision
from authz.shown import tag, to_the_minute

if TYPE_CHECKING:
    _ModelAdmin = admin.ModelAdmin[AccessKey]
    _ModelForm = forms.ModelForm[AccessKey]
else:
    _ModelAdmin = admin.ModelAdmin
    _ModelForm = forms.ModelForm

EVERY_BUCKET = "*"
_GIVEN = ("access_key_id",)
_CHOSEN = ("principal", "buckets", "is_enabled", "expires_at", "note")
_NOTED = ("created", "last_used")
_NEVER_USED = "never-used"


class AccessKeyForm(_ModelForm):
    """Every bucket is a choice of its own: a key whose last bucket is unticked must not reach them all."""

    buckets = forms.MultipleChoiceField(label="Buckets", widget=forms.CheckboxSelectMultiple)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        given: list[str] | None = self.instance.buckets
        self.initial["buckets"] = [EVERY_BUCKET] if given is None else given
        names = sorted({*authz_app().config.buckets, *(given or ())})
        self.fields["buckets"].choices = [  # type: ignore[attr-defined]
            (EVERY_BUCKET, "Every bucket"),
            *((name, name) for name in names),
        ]
        if "expires_at" in self.fields:
            date, time = self.fields["expires_at"].widget.widgets
            date.attrs["aria-label"] = "Expires on this day (UTC)"
            time.attrs["aria-label"] = "Expires at this time (UTC)"

    def clean_buckets(self) -> list[str] | None:
        chosen: list[str] = self.cleaned_data["buckets"]
        return None if EVERY_BUCKET in chosen else sorted(chosen)


class StateFilter(admin.SimpleListFilter):
    """By what has become of them, and by whether anybody uses them."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        return [*((state, state.capitalize()) for state in STATES), (_NEVER_USED, "Never used")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[AccessKey]) -> QuerySet[AccessKey]:
        chosen = self.value()
        if chosen == _NEVER_USED:
            return queryset.filter(last_used_at=None)
        return next((of_state(queryset, state) for state in STATES if state == chosen), queryset)


@admin.register(AccessKey)
class AccessKeyAdmin(_ModelAdmin):
    form = AccessKeyForm
    list_display = ["name", "state", "principal", "reach", "expires", "last_used"]
    list_filter = [StateFilter]
    list_per_page = 50
    list_max_show_all = 500
    show_facets = admin.ShowFacets.NEVER
    search_fields = ["access_key_id", "principal", "note"]
    search_help_text = "Access key id, principal or note. Keys of config.yaml are not here."
    actions = ["disable", "enable"]

    class Media:
        css = {"all": ["desk/changelist.css"]}

    @admin.display(description="access key id", ordering="access_key_id")
    def name(self, key: AccessKey) -> str:
        note = format_html('<span class="desk-note">{}</span>', key.note) if key.note else ""
        return format_html('<span class="desk-mono">{}</span>{}', key.access_key_id, note)

    @admin.display(description="buckets")
    def reach(self, key: AccessKey) -> str:
        return "every bucket" if key.buckets is None else ", ".join(key.buckets)

    @admin.display(description="state")
    def state(self, key: AccessKey) -> str:
        """What has become of it, and whether that will change within a week."""
        state = state_of(key)
        if expires_soon(key):
            return tag("expires soon", "warn")
        return tag(state, "ok" if state == "usable" else "bad")

    @admin.display(description="expires (UTC)", ordering="expires_at")
    def expires(self, key: AccessKey) -> str:
        return "never" if key.expires_at is None else to_the_minute(key.expires_at)

    @admin.display(description="last used (UTC)", ordering="last_used_at")
    def last_used(self, key: AccessKey) -> str:
        return "never" if key.last_used_at is None else to_the_minute(key.last_used_at)

    @admin.display(description="created (UTC)")
    def created(self, key: AccessKey) -> str:
        return to_the_minute(key.created_at)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return super().changelist_view(request, {"title": "Access keys", **(extra_context or {})})

    def get_fields(self, request: HttpRequest, obj: AccessKey | None = None) -> list[Any]:
        return [*_GIVEN, *_CHOSEN, *_NOTED] if obj else [*_CHOSEN]

    def get_readonly_fields(self, request: HttpRequest, obj: AccessKey | None = None) -> list[str]:
        """A key stays its principal's: uploads in progress and receipts hang on it."""
        return [*_GIVEN, "principal", *_NOTED] if obj else []

    def save_model(
        self, request: HttpRequest, obj: AccessKey, form: forms.ModelForm[AccessKey], change: Any
    ) -> None:
        if change:
            # No more than what was changed: a secret encrypted anew meanwhile must not be undone.
            obj.save(update_fields=form.changed_data)
            return
        secret = assign_new_key(obj)
        obj.save()
        messages.warning(
            request,
            format_html(
                "Access key id <code>{}</code>, secret access key <code>{}</code>. "
                "Copy the secret now: it is shown only once.",
                obj.access_key_id,
                secret,
            ),
        )

    @admin.action(description="Disable the selected access keys", permissions=["change"])
    def disable(self, request: HttpRequest, queryset: QuerySet[AccessKey]) -> None:
        changed = self._switch(request, queryset, is_enabled=False)
        messages.success(request, f"Access keys disabled: {changed}. They stop working within seconds.")

    @admin.action(description="Enable the selected access keys", permissions=["change"])
    def enable(self, request: HttpRequest, queryset: QuerySet[AccessKey]) -> None:
        changed = self._switch(request, queryset, is_enabled=True)
        messages.success(request, f"Access keys enabled: {changed}.")

    def _switch(self, request: HttpRequest, queryset: QuerySet[AccessKey], *, is_enabled: bool) -> int:
        """Returns how many were not so before; each of them is in the audit log."""
        with transaction.atomic():
            keys = list(queryset.exclude(is_enabled=is_enabled))
            changed = AccessKey.objects.filter(pk__in=[key.pk for key in keys]).update(is_enabled=is_enabled)
            for key in keys:
                self.log_change(request, key, [{"changed": {"fields": ["Is enabled"]}}])
        return changed


admin.site.register(PolicyDecision, PolicyDecisionAdmin)
