"""Recent decisions of policies."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from authz.models import PolicyDecision

from .answers import FAULTS, REFUSED
from .form_parameters import form_parameters
from .paging import PageFilters, asked_for, newest
from .views import RestView


class DecisionSerializer(serializers.ModelSerializer[PolicyDecision]):
    """One decision: of what was allowed, a sample is kept. ``is_enforced`` false: in shadow, not obeyed."""

    class Meta:
        model = PolicyDecision
        fields = [
            "id",
            "decided_at",
            "request_id",
            "principal",
            "action",
            "operation",
            "bucket",
            "key",
            "outcome",
            "engine",
            "reason",
            "is_enforced",
            "duration_ms",
        ]


class DecisionPageSerializer(serializers.Serializer[Any]):
    """``next`` is where older ones are, null at the end."""

    next = serializers.URLField(allow_null=True)
    results = DecisionSerializer(many=True)


class DecisionFilters(PageFilters):
    """Which decisions: what is given must be the same."""

    outcome = forms.ChoiceField(
        label="Outcome", required=False, choices=[("", "any"), *PolicyDecision.Outcome.choices]
    )
    bucket = forms.CharField(label="Bucket", required=False, max_length=63)
    principal = forms.CharField(label="Principal", required=False, max_length=255)
    request_id = forms.CharField(label="Request id", required=False, max_length=32)

    def found(self) -> QuerySet[PolicyDecision]:
        given = ("outcome", "bucket", "principal", "request_id")
        same = {name: self.cleaned_data[name] for name in given if self.cleaned_data[name]}
        return PolicyDecision.objects.filter(**same)


class Decisions(RestView):
    """What policies decided lately, the newest first."""

    permission = "authz.view_policydecision"

    @extend_schema(
        operation_id="decisions_list",
        parameters=form_parameters(DecisionFilters),
        responses={200: DecisionPageSerializer, **FAULTS, **REFUSED},
    )
    def get(self, request: Request) -> Response:
        asked = asked_for(DecisionFilters, request)
        return Response(DecisionPageSerializer(newest(asked.found(), asked, request)).data)
