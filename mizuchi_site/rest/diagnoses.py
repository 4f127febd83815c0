"""Why signatures did not match."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from authz.models import SignatureDiagnosis
from authz.sigv4.advice import ADVICE

from .answers import FAULTS, NOT_FOUND, REFUSED
from .form_parameters import form_parameters
from .paging import PageFilters, asked_for, newest
from .views import RestView

MOST_OF_A_REQUEST = 50


class CauseSerializer(serializers.Serializer[dict[str, str]]):
    """A cause in a sentence, and what to do about it."""

    kind = serializers.ChoiceField(sorted(ADVICE))
    text = serializers.CharField()
    advice = serializers.SerializerMethodField()

    def get_advice(self, cause: dict[str, str]) -> str:
        return next(advice for kind, advice in ADVICE.items() if kind == cause["kind"])


class DiagnosisSerializer(serializers.ModelSerializer[SignatureDiagnosis]):
    """One refused request. Letters and digits that a client wrote are an ``x`` each."""

    causes = CauseSerializer(many=True)

    class Meta:
        model = SignatureDiagnosis
        fields = [
            "id",
            "diagnosed_at",
            "request_id",
            "access_key_id",
            "causes",
            "canonical_request",
            "string_to_sign",
        ]


class DiagnosisPageSerializer(serializers.Serializer[Any]):
    """``next`` is where older ones are, null at the end."""

    next = serializers.URLField(allow_null=True)
    results = DiagnosisSerializer(many=True)


class DiagnosesSerializer(serializers.Serializer[Any]):
    """All of a request id, which several requests share that send the same trace id."""

    results = DiagnosisSerializer(many=True)


class Diagnoses(RestView):
    """The latest, the newest first."""

    permission = "mizuchi_site.view_diagnoses"

    @extend_schema(
        operation_id="diagnoses_list",
        parameters=form_parameters(PageFilters),
        responses={200: DiagnosisPageSerializer, **FAULTS, **REFUSED},
    )
    def get(self, request: Request) -> Response:
        asked = asked_for(PageFilters, request)
        return Response(
            DiagnosisPageSerializer(newest(SignatureDiagnosis.objects.all(), asked, request)).data
        )


class DiagnosesOfRequest(RestView):
    """Those of one request id, the newest first."""

    permission = "mizuchi_site.view_diagnoses"

    @extend_schema(
        operation_id="diagnoses_read", responses={200: DiagnosesSerializer, **REFUSED, **NOT_FOUND}
    )
    def get(self, request: Request, request_id: str) -> Response:
        found = SignatureDiagnosis.objects.filter(request_id=request_id.lower())[:MOST_OF_A_REQUEST]
        if not found:
            raise NotFound("No diagnosis of this request is kept: it is old, or its signature was right.")
        return Response(DiagnosesSerializer({"results": found}).data)
