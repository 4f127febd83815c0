"""Access keys in the admin: made with their secret shown once, disabled, limited, never read back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from authz.credentials import assign_new_key
from authz.models import AccessKey

if TYPE_CHECKING:
    _ModelAdmin = admin.ModelAdmin[AccessKey]
else:
    _ModelAdmin = admin.ModelAdmin


@admin.register(AccessKey)
class AccessKeyAdmin(_ModelAdmin):
    list_display = [
        "access_key_id",
        "principal",
        "buckets",
        "is_enabled",
        "expires_at",
        "last_used_at",
        "note",
    ]
    list_filter = ["is_enabled", "expires_at"]
    search_fields = ["access_key_id", "principal", "note"]
    fields = ["access_key_id", "principal", "buckets", "is_enabled", "expires_at", "note", "last_used_at"]
    readonly_fields = ["access_key_id", "last_used_at"]
    actions = ["disable", "enable"]

    def get_readonly_fields(self, request: HttpRequest, obj: AccessKey | None = None) -> Sequence[str]:
        """A key stays its principal's: uploads in progress and receipts hang on it."""
        return [*self.readonly_fields, "principal"] if obj else self.readonly_fields

    def save_model(
        self, request: HttpRequest, obj: AccessKey, form: forms.ModelForm[AccessKey], change: Any
    ) -> None:
        secret = None if change else assign_new_key(obj)
        super().save_model(request, obj, form, change)
        if secret is not None:
            messages.warning(
                request,
                f"Access key id {obj.access_key_id}, secret access key {secret}. "
                "Copy the secret now: it is shown only once.",
            )

    @admin.action(description="Disable the selected access keys", permissions=["change"])
    def disable(self, request: HttpRequest, queryset: QuerySet[AccessKey]) -> None:
        changed = queryset.update(is_enabled=False)
        messages.success(request, f"{changed} access keys disabled; they stop working within seconds.")

    @admin.action(description="Enable the selected access keys", permissions=["change"])
    def enable(self, request: HttpRequest, queryset: QuerySet[AccessKey]) -> None:
        changed = queryset.update(is_enabled=True)
        messages.success(request, f"{changed} access keys enabled.")
