"""Access keys in the admin: made with their secret shown once, disabled, limited, never read back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html

from authz.apps import authz_app
from authz.credentials import assign_new_key
from authz.models import AccessKey

if TYPE_CHECKING:
    _ModelAdmin = admin.ModelAdmin[AccessKey]
    _ModelForm = forms.ModelForm[AccessKey]
else:
    _ModelAdmin = admin.ModelAdmin
    _ModelForm = forms.ModelForm

EVERY_BUCKET = "*"
_GIVEN = ("access_key_id",)
_CHOSEN = ("principal", "buckets", "is_enabled", "expires_at", "note")
_NOTED = ("created_at", "last_used_at")


class AccessKeyForm(_ModelForm):
    """Every bucket is a choice of its own: a key whose last bucket is unticked must not reach them all."""

    buckets = forms.MultipleChoiceField(widget=forms.CheckboxSelectMultiple)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        given: list[str] | None = self.instance.buckets
        self.initial["buckets"] = [EVERY_BUCKET] if given is None else given
        names = sorted({*authz_app().config.buckets, *(given or ())})
        self.fields["buckets"].choices = [  # type: ignore[attr-defined]
            (EVERY_BUCKET, "Every bucket"),
            *((name, name) for name in names),
        ]

    def clean_buckets(self) -> list[str] | None:
        chosen: list[str] = self.cleaned_data["buckets"]
        return None if EVERY_BUCKET in chosen else sorted(chosen)


@admin.register(AccessKey)
class AccessKeyAdmin(_ModelAdmin):
    form = AccessKeyForm
    list_display = ["access_key_id", "principal", "reach", "usable", "expires_at", "last_used_at", "note"]
    list_filter = ["is_enabled", "expires_at"]
    search_fields = ["access_key_id", "principal", "note"]
    search_help_text = "Access key id, principal or note"
    actions = ["disable", "enable"]

    @admin.display(description="buckets")
    def reach(self, key: AccessKey) -> str:
        return "every bucket" if key.buckets is None else ", ".join(key.buckets)

    @admin.display(description="usable", boolean=True)
    def usable(self, key: AccessKey) -> bool:
        """Enabled and not expired."""
        return key.is_usable

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
        changed = queryset.update(is_enabled=False)
        messages.success(request, f"Access keys disabled: {changed}. They stop working within seconds.")

    @admin.action(description="Enable the selected access keys", permissions=["change"])
    def enable(self, request: HttpRequest, queryset: QuerySet[AccessKey]) -> None:
        changed = queryset.update(is_enabled=True)
        messages.success(request, f"Access keys enabled: {changed}.")
