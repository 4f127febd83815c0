"""The question to a bucket's policy, as a form."""

from __future__ import annotations

from typing import Any

from django import forms

from authz.apps import authz_app
from authz.explain import METHODS, Inquiry, parse_claims
from uploads.s3.addressing import MAX_KEY_BYTES
from uploads.s3.operations import Operation

_MAX_BYTES = 10_000 * 5 * 1024**3
_PLAIN = {"autocomplete": "off", "spellcheck": "false"}


class PolicyQuestion(forms.Form):
    """May somebody do something? Buckets are those of the configuration."""

    bucket = forms.ChoiceField()
    operation = forms.ChoiceField(
        choices=[(each.value, f"{each.value} ({each.action})") for each in Operation],
        initial=Operation.PUT_OBJECT.value,
    )
    key = forms.CharField(
        max_length=MAX_KEY_BYTES,
        required=False,
        strip=False,
        help_text="Empty: the bucket as a whole.",
        widget=forms.TextInput(attrs=_PLAIN),
    )
    subject = forms.CharField(
        max_length=255,
        help_text="The principal of an access key, or the subject of a token.",
        widget=forms.TextInput(attrs=_PLAIN),
    )
    method = forms.ChoiceField(
        label="Proves who it is by",
        required=False,
        choices=[("", "what the bucket takes"), *((each, each) for each in METHODS)],
    )
    groups = forms.CharField(
        required=False,
        max_length=2000,
        help_text="Of the token, with commas between them.",
        widget=forms.TextInput(attrs=_PLAIN),
    )
    size = forms.IntegerField(label="Size (bytes)", required=False, min_value=0, max_value=_MAX_BYTES)
    content_type = forms.CharField(label="Content type", required=False, max_length=255)
    client_ip = forms.GenericIPAddressField(label="Client's address", required=False)
    claims = forms.CharField(
        required=False,
        max_length=20_000,
        help_text="Of the token, a JSON object. Engines see those that the bucket lets through.",
        widget=forms.Textarea(attrs={**_PLAIN, "rows": 3, "placeholder": '{"tier": "gold"}'}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        config = authz_app().config
        self.fields["bucket"].choices = [  # type: ignore[attr-defined]
            (name, name if name in config.policies else f"{name} (no policy)") for name in config.buckets
        ]

    def clean_claims(self) -> dict[str, object]:
        try:
            return parse_claims(self.cleaned_data["claims"] or "{}")
        except ValueError as error:
            raise forms.ValidationError(f"This {error}") from None

    def inquiry(self) -> Inquiry:
        """What was asked. Only when ``is_valid()``."""
        data = self.cleaned_data
        return Inquiry(
            data["subject"],
            data["bucket"],
            Operation(data["operation"]).action,
            data["key"] or None,
            operation=data["operation"],
            method=data["method"] or None,
            groups=tuple(group.strip() for group in data["groups"].split(",") if group.strip()),
            claims=data["claims"],
            size=data["size"],
            content_type=data["content_type"] or None,
            client_ip=data["client_ip"],
        )
