"""Deliveries of webhooks."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from mizuchi_site.desk.delivery_admin import RIGHT, replay_noted
from uploads.models import WebhookDelivery
from uploads.notifications.event import EVENT_NAMES
from uploads.notifications.queue import MAX_REPLAYED

from .answers import FAULTS, NOT_FOUND, REFUSED
from .form_parameters import form_parameters
from .paging import MAX_ID, PageFilters, asked_for, newest
from .views import RestView

_DIGITS = 19
_FIELDS = [
    "id",
    "event_id",
    "event_name",
    "bucket",
    "webhook",
    "key",
    "request_id",
    "state",
    "attempts",
    "replays",
    "created_at",
    "queued_at",
    "due_at",
    "finished_at",
    "last_status",
    "last_error",
]
_ID = OpenApiParameter("delivery_id", OpenApiTypes.INT64, OpenApiParameter.PATH)


class DeliverySerializer(serializers.ModelSerializer[WebhookDelivery]):
    """An event for one webhook. ``event_id`` is its ``webhook-id``; ``due_at`` counts while it is PENDING."""

    event_name = serializers.ChoiceField(EVENT_NAMES)

    class Meta:
        model = WebhookDelivery
        fields = _FIELDS


class DeliveryPageSerializer(serializers.Serializer[Any]):
    """``next`` is where older ones are, null at the end."""

    next = serializers.URLField(allow_null=True)
    results = DeliverySerializer(many=True)


class TrySerializer(serializers.Serializer[Any]):
    """One try. ``error`` is empty when the receiver took the event; ``trace_id`` where it is not traced."""

    at = serializers.DateTimeField()
    ms = serializers.FloatField()
    status = serializers.IntegerField(allow_null=True)
    error = serializers.CharField(allow_blank=True)
    trace_id = serializers.CharField(allow_blank=True)


class DeliveryDetailsSerializer(DeliverySerializer):
    """With its latest tries, the newest last, and the body as it is sent."""

    history = TrySerializer(many=True)

    class Meta:
        model = WebhookDelivery
        fields = [*_FIELDS, "history", "content_type", "payload"]


class ReplaySerializer(serializers.Serializer[Any]):
    """Which deliveries."""

    ids = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=MAX_ID),
        allow_empty=False,
        max_length=MAX_REPLAYED,
    )


class ReplayedSerializer(serializers.Serializer[Any]):
    """How many were queued again: not those that wait already, or whose webhook is not configured."""

    replayed = serializers.IntegerField()


class DeliveryFilters(PageFilters):
    """Which deliveries: what is given must be the same."""

    state = forms.ChoiceField(
        label="State", required=False, choices=[("", "any"), *WebhookDelivery.State.choices]
    )
    bucket = forms.CharField(label="Bucket", required=False, max_length=63)
    webhook = forms.CharField(label="Name of the webhook", required=False, max_length=63)
    event_id = forms.CharField(label="Event id", required=False, max_length=32)
    request_id = forms.CharField(label="Request id", required=False, max_length=32)

    def found(self) -> QuerySet[WebhookDelivery]:
        given = ("state", "bucket", "webhook", "event_id", "request_id")
        same = {name: self.cleaned_data[name] for name in given if self.cleaned_data[name]}
        return WebhookDelivery.objects.filter(**same)


class WebhookDeliveries(RestView):
    """What waits for its receiver, was delivered, or is dead."""

    permission = "uploads.view_webhookdelivery"

    @extend_schema(
        operation_id="webhook_deliveries_list",
        parameters=form_parameters(DeliveryFilters),
        responses={200: DeliveryPageSerializer, **FAULTS, **REFUSED},
    )
    def get(self, request: Request) -> Response:
        """The newest first."""
        asked = asked_for(DeliveryFilters, request)
        found = asked.found().defer("payload", "history")
        return Response(DeliveryPageSerializer(newest(found, asked, request)).data)


class OneWebhookDelivery(RestView):
    """A delivery by its id."""

    permission = "uploads.view_webhookdelivery"

    @extend_schema(
        operation_id="webhook_delivery",
        parameters=[_ID],
        responses={200: DeliveryDetailsSerializer, **REFUSED, **NOT_FOUND},
    )
    def get(self, request: Request, delivery_id: str) -> Response:
        return Response(DeliveryDetailsSerializer(_found(delivery_id).get()).data)


class ReplayWebhookDelivery(RestView):
    """Queues a delivery again."""

    change_permission = RIGHT

    @extend_schema(
        operation_id="webhook_delivery_replay",
        parameters=[_ID],
        request=None,
        responses={200: ReplayedSerializer, **REFUSED, **NOT_FOUND},
    )
    def post(self, request: Request, delivery_id: str) -> Response:
        """With the same body and ``webhook-id``, and all its tries before it."""
        return Response({"replayed": replay_noted(request, _found(delivery_id))})


class ReplayWebhookDeliveries(RestView):
    """Queues many deliveries again."""

    change_permission = RIGHT

    @extend_schema(
        operation_id="webhook_deliveries_replay",
        request=ReplaySerializer,
        responses={200: ReplayedSerializer, **FAULTS, **REFUSED},
    )
    def post(self, request: Request) -> Response:
        """Ids of which there is no delivery are left out."""
        wanted = ReplaySerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        deliveries = WebhookDelivery.objects.filter(pk__in=wanted.validated_data["ids"])
        return Response({"replayed": replay_noted(request, deliveries)})


def _found(delivery_id: str) -> QuerySet[WebhookDelivery]:
    """That one delivery. Raises NotFound."""
    is_number = delivery_id.isascii() and delivery_id.isdigit() and len(delivery_id) < _DIGITS
    found = WebhookDelivery.objects.filter(pk=int(delivery_id) if is_number else 0)
    if not found.exists():
        raise NotFound("There is no such delivery.")
    return found
