"""Who changed what."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.admin.models import LogEntry
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from mizuchi_site.audit_log import ACTIONS, entries

from .answers import FAULTS, REFUSED
from .form_parameters import form_parameters
from .paging import PageFilters, asked_for, newest
from .views import RestView


class EntrySerializer(serializers.ModelSerializer[LogEntry]):
    """One change."""

    at = serializers.DateTimeField(source="action_time")
    user = serializers.CharField(source="user.username")
    action = serializers.SerializerMethodField()
    kind = serializers.SerializerMethodField()
    object = serializers.CharField(source="object_repr")
    message = serializers.SerializerMethodField()

    class Meta:
        model = LogEntry
        fields = ["id", "at", "user", "action", "kind", "object", "object_id", "message"]

    def get_action(self, entry: LogEntry) -> str:
        return ACTIONS[entry.action_flag]

    def get_kind(self, entry: LogEntry) -> str:
        """``app_label.model`` of the object; empty when that is no more."""
        kind = entry.content_type
        return "" if kind is None else f"{kind.app_label}.{kind.model}"

    def get_message(self, entry: LogEntry) -> str:
        return entry.get_change_message()


class EntryPageSerializer(serializers.Serializer[Any]):
    """``next`` is where older ones are, null at the end."""

    next = serializers.URLField(allow_null=True)
    results = EntrySerializer(many=True)


class EntryFilters(PageFilters):
    """Which changes."""

    user = forms.CharField(label="Username", required=False, max_length=150)
    kind = forms.CharField(label="Kind of object, such as authz.accesskey", required=False, max_length=200)
    action = forms.ChoiceField(
        label="What was done",
        required=False,
        choices=[("", "any"), *((each, each) for each in ACTIONS.values())],
    )

    def found(self) -> QuerySet[LogEntry]:
        data = self.cleaned_data
        return entries(user=data["user"], kind=data["kind"], action=data["action"])


class Audit(RestView):
    """Changes by operators, the newest first."""

    permission = "mizuchi_site.view_audit"

    @extend_schema(
        operation_id="audit_list",
        parameters=form_parameters(EntryFilters),
        responses={200: EntryPageSerializer, **FAULTS, **REFUSED},
    )
    def get(self, request: Request) -> Response:
        asked = asked_for(EntryFilters, request)
        return Response(EntryPageSerializer(newest(asked.found(), asked, request)).data)
