"""Buckets of the configuration, and how they are."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from authz.bucket_access import BucketAccess, EngineAccess, PolicyAccess, TokenAccess
from mizuchi_site.bucket_overview import (
    BucketOverview,
    EngineOutage,
    HealthOverview,
    QuotaOverview,
    StorageOverview,
    bucket_overviews,
)
from uploads.config import Limits
from uploads.quotas.rules import Quota
from uploads.throttle.rules import Rate

from .answers import REFUSED
from .views import RestView


class TextsField(serializers.ListField):
    child = serializers.CharField()


class StorageSerializer(serializers.Serializer[StorageOverview]):
    """Where objects go."""

    name = serializers.CharField()
    kind = serializers.ChoiceField(["filesystem", "s3", "django"])
    place = serializers.CharField(help_text="A folder, an endpoint (AWS without one), or a storage class.")
    target = serializers.CharField()
    prefix = serializers.CharField(allow_blank=True)


class HealthSerializer(serializers.Serializer[HealthOverview]):
    """Whether the storage answers now."""

    is_ok = serializers.BooleanField()
    detail = serializers.CharField(allow_blank=True)
    seconds = serializers.FloatField()


class LimitsSerializer(serializers.Serializer[Limits]):
    """What the bucket accepts."""

    max_object_bytes = serializers.IntegerField()
    max_part_bytes = serializers.IntegerField()
    max_parts = serializers.IntegerField()
    content_types = TextsField(help_text="Empty: any.")
    key_pattern = serializers.CharField(allow_null=True)


class ThrottleSerializer(serializers.Serializer[Rate]):
    """What each principal may at a time in the bucket, besides its limits over all buckets."""

    requests_per_second = serializers.FloatField(allow_null=True, help_text="null: any number.")
    burst = serializers.IntegerField(allow_null=True)
    concurrent_uploads = serializers.IntegerField(allow_null=True)


class QuotaLimitSerializer(serializers.Serializer[Quota]):
    """At most so much; null is any amount."""

    max_bytes = serializers.IntegerField(allow_null=True)
    max_objects = serializers.IntegerField(allow_null=True)


class QuotaSerializer(serializers.Serializer[QuotaOverview]):
    """What is used of the bucket's quota now, by all principals together."""

    per = serializers.ChoiceField(["total", "month", "day"])
    period = serializers.CharField(allow_blank=True, help_text="2026-11 or 2026-11-30; empty: all time.")
    used_bytes = serializers.IntegerField()
    used_objects = serializers.IntegerField()
    reserved_bytes = serializers.IntegerField(help_text="What uploads under way may still add.")
    reserved_objects = serializers.IntegerField()
    bucket = QuotaLimitSerializer(help_text="Of all principals together.")
    principal = QuotaLimitSerializer(help_text="Of each principal that has no quota of its own.")


class TokensSerializer(serializers.Serializer[TokenAccess]):
    """Which JSON Web Tokens are taken."""

    algorithms = TextsField()
    keys = serializers.ChoiceField(["secret", "public_key", "jwks_url"])
    jwks_url = serializers.CharField(allow_null=True)
    issuers = TextsField(help_text="Empty: any.")
    audiences = TextsField(help_text="Empty: any.")
    required_claims = TextsField()
    subject_claim = serializers.CharField()
    groups_claim = serializers.CharField(allow_null=True)
    claims = TextsField(help_text="What policy engines see of the token besides.")
    sources = TextsField()


class EngineSerializer(serializers.Serializer[EngineAccess]):
    """A policy engine that is asked."""

    engine = serializers.ChoiceField(["opa", "openfga"])
    url = serializers.CharField()
    question = serializers.CharField()
    timeout_seconds = serializers.FloatField()
    cache_ttl_seconds = serializers.FloatField()


class PolicySerializer(serializers.Serializer[PolicyAccess]):
    """What follows from the engines' answers."""

    mode = serializers.ChoiceField(["all_of", "any_of", "shadow"])
    fails_open = serializers.BooleanField()
    engines = EngineSerializer(many=True)


class AccessSerializer(serializers.Serializer[BucketAccess]):
    """Who may upload."""

    sigv4 = serializers.BooleanField()
    max_clock_skew_seconds = serializers.IntegerField()
    tokens = TokensSerializer(allow_null=True)
    browser_upload = serializers.BooleanField()
    anonymous = serializers.BooleanField()
    key_template = serializers.CharField(allow_null=True)
    policy = PolicySerializer(allow_null=True)


class OutageSerializer(serializers.Serializer[EngineOutage]):
    """An engine that the answering worker leaves alone after failures."""

    engine = serializers.ChoiceField(["opa", "openfga"])
    detail = serializers.CharField(allow_blank=True)


class BucketSerializer(serializers.Serializer[BucketOverview]):
    """A bucket as configured, without secrets."""

    name = serializers.CharField()
    storage = StorageSerializer()
    health = HealthSerializer()
    limits = LimitsSerializer()
    throttle = ThrottleSerializer()
    quota = QuotaSerializer(allow_null=True)
    origins = TextsField(help_text="Of pages that may talk to the bucket, by its CORS rules.")
    access = AccessSerializer()
    outages = OutageSerializer(many=True)


class BucketsSerializer(serializers.Serializer[Any]):
    """All of them, in the order of the configuration."""

    results = BucketSerializer(many=True)


class Buckets(RestView):
    """Every bucket with its storage, limits and who may upload. Storages are checked for it, within 2 s."""

    permission = "mizuchi_site.view_buckets"

    @extend_schema(operation_id="buckets_list", responses={200: BucketsSerializer, **REFUSED})
    def get(self, request: Request) -> Response:
        return Response(BucketsSerializer({"results": bucket_overviews()}).data)
