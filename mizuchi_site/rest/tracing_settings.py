"""The tracing settings: what is in force, changes of what is live, and their history."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from mizuchi_site.tracing_changes import change, go_back, undo_last
from tracing_app.live.overrides import LIVE_KEYS, OverridesInvalid
from tracing_app.live.revisions import RevisionConflict, current_overrides, history
from tracing_app.models import TracingRevision

from .answers import FAULTS, NOT_FOUND, REFUSED
from .form_parameters import form_parameters
from .paging import PageFilters, asked_for
from .tracing_answers import (
    CONFLICT,
    Conflict,
    TracingRevisionPageSerializer,
    TracingSettingsSerializer,
    invalid,
    settings_answer,
)
from .tracing_overrides import OverridesField
from .views import RestView

_DIGITS = 19


class BasedOnSerializer(serializers.Serializer[Any]):
    """What a change was made from."""

    revision = serializers.IntegerField(
        min_value=0,
        max_value=2**63 - 1,
        required=False,
        help_text="The newest revision one knows, 0 for none: with another in force the answer is 409.",
    )


class NewOverridesSerializer(BasedOnSerializer):
    """All overrides: keys that are not here are as in the file."""

    overrides = OverridesField()
    note = serializers.CharField(max_length=255, allow_blank=True, required=False, default="")


class ChangedOverridesSerializer(BasedOnSerializer):
    """Some overrides: other keys stay as they are."""

    overrides = OverridesField(required=False)
    reset = serializers.ListField(
        child=serializers.ChoiceField(LIVE_KEYS),
        required=False,
        max_length=20,
        help_text="Keys that are to be as in the file.",
    )
    note = serializers.CharField(max_length=255, allow_blank=True, required=False, default="")


class TracingRestView(RestView):
    """What changes have in common: who may, and how they fail."""

    permission = "mizuchi_site.view_tracing_settings"
    change_permission = "mizuchi_site.change_tracing_settings"

    def handle_exception(self, exc: Exception) -> Response:
        if isinstance(exc, OverridesInvalid):
            return Response(invalid(exc), status=400)
        if isinstance(exc, RevisionConflict):
            exc = Conflict(exc)
        return super().handle_exception(exc)


class TracingSettings(TracingRestView):
    """The settings of tracing that are in force, each with its source."""

    @extend_schema(operation_id="tracing_settings", responses={200: TracingSettingsSerializer, **REFUSED})
    def get(self, request: Request) -> Response:
        return Response(settings_answer())

    @extend_schema(
        operation_id="tracing_settings_replace",
        request=NewOverridesSerializer,
        responses={200: TracingSettingsSerializer, **FAULTS, **REFUSED, **CONFLICT},
    )
    def put(self, request: Request) -> Response:
        """Put these overrides in force, in the place of those there are."""
        asked = _valid(NewOverridesSerializer, request)
        return self._change(request, asked["overrides"], asked)

    @extend_schema(
        operation_id="tracing_settings_change",
        request=ChangedOverridesSerializer,
        responses={200: TracingSettingsSerializer, **FAULTS, **REFUSED, **CONFLICT},
    )
    def patch(self, request: Request) -> Response:
        """Put some overrides in force, or take some back."""
        asked = _valid(ChangedOverridesSerializer, request)
        overrides = current_overrides() | asked.get("overrides", {})
        for key in asked.get("reset", ()):
            overrides.pop(key, None)
        return self._change(request, overrides, asked)

    def _change(self, request: Request, overrides: dict[str, Any], asked: dict[str, Any]) -> Response:
        change(request.user, overrides, based_on=asked.get("revision"), note=asked["note"])
        return Response(settings_answer())


class TracingRevisions(TracingRestView):
    """Changes of the live settings, the newest first."""

    @extend_schema(
        operation_id="tracing_revisions",
        parameters=form_parameters(PageFilters),
        responses={200: TracingRevisionPageSerializer, **FAULTS, **REFUSED},
    )
    def get(self, request: Request) -> Response:
        asked = asked_for(PageFilters, request).cleaned_data
        limit = asked["limit"] or 50
        entries = history(limit=limit + 1, before=asked["before"])
        more = None
        if len(entries) > limit:
            oldest = {"before": str(entries[limit - 1].revision.pk)}
            more = request.build_absolute_uri(
                f"{request.path}?{urlencode(request.query_params.dict() | oldest)}"
            )
        page = {"next": more, "results": entries[:limit]}
        return Response(TracingRevisionPageSerializer(page).data)


class UndoTracingRevision(TracingRestView):
    """Take back the last change."""

    @extend_schema(
        operation_id="tracing_settings_undo",
        request=BasedOnSerializer,
        responses={200: TracingSettingsSerializer, **FAULTS, **REFUSED, **NOT_FOUND, **CONFLICT},
    )
    def post(self, request: Request) -> Response:
        asked = _valid(BasedOnSerializer, request)
        if undo_last(request.user, based_on=asked.get("revision")) is None:
            raise NotFound("There is no change to undo.")
        return Response(settings_answer())


class RestoreTracingRevision(TracingRestView):
    """Put an earlier revision in force again."""

    @extend_schema(
        operation_id="tracing_settings_restore",
        request=BasedOnSerializer,
        responses={200: TracingSettingsSerializer, **FAULTS, **REFUSED, **NOT_FOUND, **CONFLICT},
    )
    def post(self, request: Request, number: str) -> Response:
        asked = _valid(BasedOnSerializer, request)
        is_number = number.isascii() and number.isdigit() and len(number) < _DIGITS
        revision = TracingRevision.objects.filter(pk=int(number)).first() if is_number else None
        if revision is None:
            raise NotFound("There is no such revision.")
        go_back(request.user, revision, based_on=asked.get("revision"))
        return Response(settings_answer())


def _valid(kind: type[serializers.Serializer[Any]], request: Request) -> dict[str, Any]:
    serializer = kind(data=request.data)
    serializer.is_valid(raise_exception=True)
    found: dict[str, Any] = serializer.validated_data
    return found
