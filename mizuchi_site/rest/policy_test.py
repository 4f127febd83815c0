"""What policy engines would decide."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from authz.apps import authz_app
from authz.decisions import Decision
from authz.explain import METHODS, Explanation, Inquiry, UnknownBucket, explain
from authz.models import PolicyDecision
from authz.policy.verdict import Verdict
from uploads.s3.addressing import MAX_KEY_BYTES
from uploads.s3.operations import Operation

from .answers import FAULTS, REFUSED
from .views import RestView

_OUTCOMES = PolicyDecision.Outcome.choices
_MAX_BYTES = 10_000 * 5 * 1024**3


class InquirySerializer(serializers.Serializer[Inquiry]):
    """May somebody do something? The operation tells the action, as IAM's actions of S3 are named."""

    bucket = serializers.CharField(max_length=63)
    subject = serializers.CharField(
        max_length=255, help_text="The principal of an access key, or the subject of a token."
    )
    operation = serializers.ChoiceField([each.value for each in Operation], default="PutObject")
    key = serializers.CharField(
        max_length=MAX_KEY_BYTES,
        required=False,
        allow_null=True,
        trim_whitespace=False,
        help_text="null: the bucket as a whole.",
    )
    method = serializers.ChoiceField(
        METHODS, required=False, allow_null=True, help_text="null: jwt where the bucket takes tokens."
    )
    groups = serializers.ListField(
        child=serializers.CharField(max_length=255), required=False, max_length=100
    )
    claims = serializers.DictField(
        required=False, help_text="Of the token; more than the bucket lets through."
    )
    size = serializers.IntegerField(min_value=0, max_value=_MAX_BYTES, required=False, allow_null=True)
    content_type = serializers.CharField(max_length=255, required=False, allow_null=True)
    client_ip = serializers.IPAddressField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        operation = Operation(attrs["operation"])
        return {**attrs, "action": operation.action, "groups": tuple(attrs.get("groups", ()))}


class ScopeSerializer(serializers.Serializer[Decision]):
    """Whether the key is the caller's at all, by the bucket's key_template."""

    is_allowed = serializers.BooleanField()
    reason = serializers.CharField()
    engine = serializers.CharField()


class VerdictSerializer(serializers.Serializer[Verdict]):
    """One engine's: ``error`` is no answer. ``detail`` are the policy's own words, or what went wrong."""

    engine = serializers.ChoiceField(["opa", "openfga"])
    outcome = serializers.ChoiceField(_OUTCOMES)
    reason = serializers.CharField()
    detail = serializers.CharField(allow_blank=True)
    decision_id = serializers.CharField(allow_blank=True)
    seconds = serializers.FloatField()


class ExplanationSerializer(serializers.Serializer[Explanation]):
    """``outcome`` is what a request would meet. ``engines`` are all, also those that it would not need."""

    outcome = serializers.ChoiceField(_OUTCOMES)
    why = serializers.CharField()
    scope = ScopeSerializer()
    engines = VerdictSerializer(many=True, source="verdicts")
    is_enforced = serializers.BooleanField()


class PolicyTest(RestView):
    """Ask the engines of a bucket's policy, as ``manage.py authz_explain`` does. Nothing is remembered."""

    change_permission = "mizuchi_site.test_policy"

    @extend_schema(
        operation_id="policy_test",
        request=InquirySerializer,
        responses={200: ExplanationSerializer, **FAULTS, **REFUSED},
    )
    def post(self, request: Request) -> Response:
        asked = InquirySerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        try:
            explanation = explain(authz_app().config, Inquiry(**asked.validated_data))
        except UnknownBucket as error:
            raise serializers.ValidationError({"bucket": [str(error)]}) from None
        return Response(ExplanationSerializer(explanation).data)
