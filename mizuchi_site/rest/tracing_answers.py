"""What the REST API says of tracing settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from django.conf import settings
from drf_spectacular.utils import OpenApiResponse
from rest_framework import serializers
from rest_framework.exceptions import APIException

from mizuchi_site.settings_spread import spread_of
from mizuchi_site.tracing_report import settings_in_force
from tracing_app.live.difference import FROM_FILE, Change
from tracing_app.live.effective import effective
from tracing_app.live.overrides import OverrideFault, OverridesInvalid
from tracing_app.live.revisions import Entry, RevisionConflict
from tracing_app.models import TracingRevision

from .answers import DetailSerializer
from .tracing_overrides import OverridesField


class TracingRevisionSerializer(serializers.ModelSerializer[TracingRevision]):
    """Who put it in force, when and why."""

    revision = serializers.IntegerField(source="pk")

    class Meta:
        model = TracingRevision
        fields = ["revision", "changed_by", "changed_at", "note", "overrides"]


class OverrideFaultSerializer(serializers.Serializer[OverrideFault]):
    """What is wrong where; ``column`` (from 1) is the place in a condition where it could not be read on."""

    path = serializers.SerializerMethodField()
    problem = serializers.SerializerMethodField()
    column = serializers.IntegerField(allow_null=True)

    def get_path(self, fault: OverrideFault) -> str:
        return _sendable(fault.path)

    def get_problem(self, fault: OverrideFault) -> str:
        return _sendable(fault.problem)


class TracingSettingSerializer(serializers.Serializer[Any]):
    """A key of the section ``tracing``. ``revision`` made it live; ``file_value`` is without it."""

    path = serializers.CharField()
    value = serializers.JSONField(allow_null=True)
    source = serializers.CharField(help_text="default, file, environment (VARIABLE, ...) or live")  # type: ignore[assignment]
    is_live = serializers.BooleanField(help_text="Whether it can be changed at run time.")
    file_value = serializers.JSONField(allow_null=True)
    file_source = serializers.CharField()
    revision = serializers.IntegerField(source="changed.pk", default=None, allow_null=True)
    changed_by = serializers.CharField(source="changed.changed_by", default=None, allow_null=True)
    changed_at = serializers.DateTimeField(source="changed.changed_at", default=None, allow_null=True)


class TracingSpreadSerializer(serializers.Serializer[Any]):
    """So many of the workers sample by the newest revision, as they told seconds ago."""

    workers = serializers.IntegerField()
    with_newest = serializers.IntegerField()


class TracingSettingsSerializer(serializers.Serializer[Any]):
    """``revision`` is the newest, null: the file's settings are in force. With ``faults`` it cannot be right,
    and workers keep what they had."""

    revision = TracingRevisionSerializer(allow_null=True)
    settings = TracingSettingSerializer(many=True)
    overrides = OverridesField()
    faults = OverrideFaultSerializer(many=True)
    spread = TracingSpreadSerializer()


class OverrideValueSerializer(serializers.Serializer[Any]):
    value = serializers.JSONField(allow_null=True)


class TracingChangeSerializer(serializers.Serializer[Change]):
    """``before`` and ``after`` null: as in the file."""

    key = serializers.CharField()
    before = OverrideValueSerializer(allow_null=True)
    after = OverrideValueSerializer(allow_null=True)

    def to_representation(self, change: Change) -> dict[str, Any]:
        return {"key": change.key, "before": _side(change.before), "after": _side(change.after)}


class TracingRevisionEntrySerializer(serializers.Serializer[Entry]):
    """A revision with what it changed."""

    revision = serializers.IntegerField(source="revision.pk")
    changed_by = serializers.CharField(source="revision.changed_by")
    changed_at = serializers.DateTimeField(source="revision.changed_at")
    note = serializers.CharField(source="revision.note", allow_blank=True)
    overrides = OverridesField(source="revision.overrides")
    changes = TracingChangeSerializer(many=True)


class TracingRevisionPageSerializer(serializers.Serializer[Any]):
    """``next`` is where older ones are, null at the end."""

    next = serializers.URLField(allow_null=True)
    results = TracingRevisionEntrySerializer(many=True)


class Conflict(APIException):
    """What was to be changed is not in force any more."""

    status_code = 409
    default_code = "conflict"

    def __init__(self, error: RevisionConflict) -> None:
        newest = error.newest
        super().__init__(f"Revision {newest.pk if newest else 0} is in force by now; look at it first.")


CONFLICT: Final[Mapping[int, OpenApiResponse]] = {
    409: OpenApiResponse(DetailSerializer, "Another revision is in force by now")
}


def settings_answer() -> dict[str, Any]:
    """What is in force now."""
    now = effective()
    report = {
        "revision": now.revision,
        "settings": settings_in_force(settings.CONFIGURATION, now),
        "overrides": now.overrides,
        "faults": now.faults,
        "spread": spread_of(now),
    }
    return TracingSettingsSerializer(report).data


def invalid(error: OverridesInvalid) -> dict[str, Any]:
    """Why 400: each fault at its path."""
    faults = [OverrideFaultSerializer(fault).data for fault in error.faults]
    return {"detail": "These overrides cannot be right.", "faults": faults}


def _side(value: Any) -> dict[str, Any] | None:
    return None if value is FROM_FILE else {"value": value}


def _sendable(text: str) -> str:
    """JSON may bring half a character, which UTF-8 cannot send back."""
    return text.encode(errors="backslashreplace").decode()
