"""The configuration that this gateway runs with, for programs."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from mizuchi_site.config.defaults import EffectiveValue, effective_values
from mizuchi_site.system_checks import Finding, findings

from .answers import REFUSED
from .views import RestView


class ConfiguredValueSerializer(serializers.Serializer[EffectiveValue]):
    """A value, as ``manage.py check_config --json`` has it, beside what it would be without the file."""

    path = serializers.CharField()
    value = serializers.JSONField(allow_null=True)
    source = serializers.CharField(help_text="default, file or environment (VARIABLE, ...)")  # type: ignore[assignment]
    default = serializers.JSONField(allow_null=True)
    has_default = serializers.BooleanField(help_text="Whether default is one.")
    differs = serializers.BooleanField(help_text="From the default, or there is none.")


class CheckFindingSerializer(serializers.Serializer[Finding]):
    """A message of Django's system checks."""

    id = serializers.CharField()
    level = serializers.ChoiceField(["info", "warning", "error"])
    message = serializers.CharField()
    hint = serializers.CharField(allow_blank=True)


class ConfigurationSerializer(serializers.Serializer[Any]):
    """``file`` is null for the built-in defaults."""

    file = serializers.CharField(allow_null=True)
    values = ConfiguredValueSerializer(many=True)
    checks = CheckFindingSerializer(many=True)


class Configuration(RestView):
    """Every effective value of this process with its source, secrets masked, and what system checks say."""

    permission = "mizuchi_site.view_configuration"

    @extend_schema(operation_id="configuration", responses={200: ConfigurationSerializer, **REFUSED})
    def get(self, request: Request) -> Response:
        file = settings.CONFIGURATION.file
        report = {
            "file": str(file) if file else None,
            "values": effective_values(settings.CONFIGURATION),
            "checks": findings(),
        }
        return Response(ConfigurationSerializer(report).data)
