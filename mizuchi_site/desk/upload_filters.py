"""The filters over the list of uploads."""

from __future__ import annotations

from django import forms

from uploads.models import UploadRecord
from uploads.search import UploadQuery

from .moment_field import MomentField

_ANY = ("", "any")


class UploadFilters(forms.Form):
    """Everything is optional."""

    q = forms.CharField(
        label="Search",
        required=False,
        max_length=4096,
        help_text="Part of a key, or a whole request id, upload id, ETag or principal",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    state = forms.ChoiceField(label="State", required=False, choices=[_ANY, *UploadRecord.State.choices])
    bucket = forms.CharField(
        label="Bucket",
        required=False,
        max_length=63,
        widget=forms.TextInput(attrs={"list": "upload-buckets"}),
    )
    principal = forms.CharField(label="Principal", required=False, max_length=255)
    error = forms.CharField(
        label="Error code",
        required=False,
        max_length=64,
        widget=forms.TextInput(attrs={"list": "upload-codes"}),
    )
    since = MomentField(label="Since (UTC)", required=False)
    until = MomentField(label="Until (UTC)", required=False)
    method = forms.ChoiceField(label="Method", required=False, choices=[_ANY, *UploadRecord.Method.choices])
    key_prefix = forms.CharField(label="Key begins with", required=False, max_length=1024, strip=False)
    request_id = forms.CharField(label="Request id", required=False, max_length=32)
    upload = forms.CharField(label="Upload id, or its digest", required=False, max_length=4096)

    def query(self) -> UploadQuery:
        """What was asked for. Only when ``is_valid()``."""
        names = UploadQuery.__dataclass_fields__
        asked = {name: value for name, value in self.cleaned_data.items() if name in names}
        return UploadQuery(text=self.cleaned_data["q"], **asked)

    def given(self) -> dict[str, str]:
        """The query string's parameters that say something, as they were given."""
        return {name: value for name in self.fields if (value := self.data.get(name, "").strip())}
