"""The filters over the list of traces."""

from __future__ import annotations

import re
from typing import Any, Literal

from django import forms
from django.core.validators import RegexValidator

from tracing_app.redaction import upload_hash
from tracing_app.store.search import TraceQuery
from uploads.s3.operations import Operation

from .moment_field import MomentField

MAX_MS = 86_400_000.0 * 366
_ID = re.compile("[0-9a-fA-F]{32}")

KINDS = (("s3", "S3 API"), ("pages", "pages"), ("all", "both"))
_KINDS_ASKED: dict[str, Literal["", "s3", "pages"]] = {"": "s3", "s3": "s3", "pages": "pages", "all": ""}
OUTCOMES = (
    ("", "any"),
    ("failed", "failed"),
    ("error", "failed by our fault (5xx)"),
    ("refused", "failed by the client (4xx)"),
    ("ok", "ok"),
)
REASONS = ("error", "slow", "rule", "head", "upload")


def upload_hash_of(upload: str) -> str:
    """What traces call an upload, by its id as clients have it or by that hash itself."""
    return upload.lower() if not upload or _ID.fullmatch(upload) else upload_hash(upload)


def _choices(values: list[str] | tuple[str, ...]) -> list[tuple[str, str]]:
    return [("", "any"), *((value, value) for value in values)]


class TraceFilters(forms.Form):
    """Everything is optional; without ``kind`` requests of the S3 API are meant, unless one is named."""

    request_id = forms.CharField(
        label="Request id",
        required=False,
        validators=[RegexValidator(r"\A[0-9a-fA-F]{32}\Z", "A request id has 32 hexadecimal digits.")],
        widget=forms.TextInput(attrs={"size": 34, "autocomplete": "off", "spellcheck": "false"}),
    )
    outcome = forms.ChoiceField(label="Outcome", required=False, choices=OUTCOMES)
    slower_than_ms = forms.FloatField(label="Slower than (ms)", required=False, min_value=0, max_value=MAX_MS)
    operation = forms.ChoiceField(
        label="Operation", required=False, choices=_choices([each.value for each in Operation])
    )
    bucket = forms.CharField(label="Bucket", required=False, max_length=63)
    error = forms.CharField(label="Error code", required=False, max_length=64)
    status = forms.IntegerField(label="Status", required=False, min_value=100, max_value=599)
    key_prefix = forms.CharField(label="Key begins with (as traces show it)", required=False, max_length=1100)
    upload = forms.CharField(label="Upload id, or its hash", required=False, max_length=4096)
    reason = forms.ChoiceField(label="Kept because of", required=False, choices=_choices(REASONS))
    since = MomentField(label="Since (UTC)", required=False)
    until = MomentField(label="Until (UTC)", required=False)
    kind = forms.ChoiceField(label="Requests of", required=False, choices=KINDS)

    def query(self) -> TraceQuery:
        """What was asked for. Only when ``is_valid()``."""
        asked: dict[str, Any] = dict(self.cleaned_data)
        trace_id, kind = asked.pop("request_id"), _KINDS_ASKED[asked.pop("kind")]
        return TraceQuery(
            trace_id=trace_id,
            upload_hash=upload_hash_of(asked.pop("upload")),
            kind="" if trace_id else kind,
            **asked,
        )
