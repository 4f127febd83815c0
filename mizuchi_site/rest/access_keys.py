"""Access keys of the database."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from django import forms
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from authz.apps import authz_app
from authz.credentials import create_access_key
from authz.key_states import STATES, of_state, state_of
from authz.models import AccessKey, validate_principal
from mizuchi_site.audit_log import note_added, note_changed, note_deleted

from .answers import FAULTS, NOT_FOUND, REFUSED
from .form_parameters import form_parameters
from .paging import PageFilters, asked_for, newest
from .views import RestView

_NO_STORE: Final = {"Cache-Control": "no-store"}
_LONGEST: Final = 255


class AccessKeySerializer(serializers.ModelSerializer[AccessKey]):
    """Never with its secret. ``buckets`` null: every bucket. ``last_used_at`` is to the minute."""

    buckets = serializers.ListField(child=serializers.CharField(), allow_null=True)
    state = serializers.SerializerMethodField()

    class Meta:
        model = AccessKey
        fields = [
            "access_key_id",
            "principal",
            "buckets",
            "state",
            "is_enabled",
            "expires_at",
            "note",
            "created_at",
            "last_used_at",
        ]

    @extend_schema_field(serializers.ChoiceField(STATES))
    def get_state(self, key: AccessKey) -> str:
        return state_of(key)


class AccessKeyPageSerializer(serializers.Serializer[Any]):
    """``next`` is where older ones are, null at the end."""

    next = serializers.URLField(allow_null=True)
    results = AccessKeySerializer(many=True)


class KeyChangeSerializer(serializers.Serializer[AccessKey]):
    """What may be changed later. A key's id, principal and secret stay as they are."""

    buckets = serializers.ListField(
        child=serializers.CharField(max_length=63),
        allow_null=True,
        required=False,
        allow_empty=False,
        max_length=1000,
        help_text="Names of buckets that it may upload to; null: every bucket.",
    )
    is_enabled = serializers.BooleanField(required=False)
    expires_at = serializers.DateTimeField(
        allow_null=True, required=False, help_text="Refused from then on; null: never."
    )
    note = serializers.CharField(max_length=_LONGEST, allow_blank=True, required=False)

    def validate_buckets(self, names: list[str] | None) -> list[str] | None:
        """Those of the configuration, and those that the key has already."""
        if names is None:
            return None
        kept = (self.instance.buckets or ()) if self.instance is not None else ()
        known = {*authz_app().config.buckets, *kept}
        unknown = sorted(set(names) - known)
        if unknown:
            raise serializers.ValidationError(f"There is no bucket {unknown[0]!r}.")
        return sorted(set(names))


class NewKeySerializer(KeyChangeSerializer):
    """A key that is to be made."""

    principal = serializers.CharField(max_length=128, validators=[validate_principal])
    is_enabled = None  # type: ignore[assignment]

    def validate_expires_at(self, moment: datetime | None) -> datetime | None:
        if moment is not None and moment <= timezone.now():
            raise serializers.ValidationError("This is in the past.")
        return moment


class MadeKeySerializer(AccessKeySerializer):
    """With the secret, which cannot be shown again."""

    secret_access_key = serializers.CharField()

    class Meta(AccessKeySerializer.Meta):
        fields = ["access_key_id", "secret_access_key", *AccessKeySerializer.Meta.fields[1:]]


class KeyFilters(PageFilters):
    """Which keys."""

    search = forms.CharField(
        label="Part of the id, the principal or the note", required=False, max_length=_LONGEST
    )
    state = forms.ChoiceField(
        label="State", required=False, choices=[("", "any"), *((each, each) for each in STATES)]
    )

    def found(self) -> QuerySet[AccessKey]:
        keys, term = AccessKey.objects.all(), self.cleaned_data["search"]
        if self.cleaned_data["state"]:
            keys = of_state(keys, self.cleaned_data["state"])
        if not term:
            return keys
        return keys.filter(
            Q(access_key_id__icontains=term) | Q(principal__icontains=term) | Q(note__icontains=term)
        )


class AccessKeys(RestView):
    """Access keys of the database; those of config.yaml are not among them."""

    permission = "authz.view_accesskey"
    change_permission = "authz.add_accesskey"

    @extend_schema(
        operation_id="access_keys_list",
        parameters=form_parameters(KeyFilters),
        responses={200: AccessKeyPageSerializer, **FAULTS, **REFUSED},
    )
    def get(self, request: Request) -> Response:
        """The newest first."""
        asked = asked_for(KeyFilters, request)
        return Response(AccessKeyPageSerializer(newest(asked.found(), asked, request)).data)

    @extend_schema(
        operation_id="access_keys_create",
        request=NewKeySerializer,
        responses={201: MadeKeySerializer, **FAULTS, **REFUSED},
    )
    def post(self, request: Request) -> Response:
        """Make a key. Its secret is in this answer and nowhere else."""
        wanted = NewKeySerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        with transaction.atomic():
            made, secret = create_access_key(**wanted.validated_data)
            note_added(request.user, made)
        made.secret_access_key = secret  # type: ignore[attr-defined]
        return Response(MadeKeySerializer(made).data, status=201, headers=_NO_STORE)


class OneAccessKey(RestView):
    """An access key by its id."""

    permission = "authz.view_accesskey"
    change_permission = "authz.change_accesskey"
    method_permissions = {"DELETE": "authz.delete_accesskey"}

    @extend_schema(
        operation_id="access_keys_read", responses={200: AccessKeySerializer, **REFUSED, **NOT_FOUND}
    )
    def get(self, request: Request, access_key_id: str) -> Response:
        return Response(AccessKeySerializer(_key(access_key_id)).data)

    @extend_schema(
        operation_id="access_keys_change",
        request=KeyChangeSerializer,
        responses={200: AccessKeySerializer, **FAULTS, **REFUSED, **NOT_FOUND},
    )
    def patch(self, request: Request, access_key_id: str) -> Response:
        """Disable or enable it, limit its time or its buckets, or note something."""
        key = _key(access_key_id)
        wanted = KeyChangeSerializer(key, data=request.data)
        wanted.is_valid(raise_exception=True)
        changed = [name for name, value in wanted.validated_data.items() if getattr(key, name) != value]
        for name in changed:
            setattr(key, name, wanted.validated_data[name])
        if changed:
            with transaction.atomic():
                # No more than that: a secret encrypted anew meanwhile must not be undone.
                key.save(update_fields=changed)
                note_changed(request.user, key, changed)
        return Response(AccessKeySerializer(key).data)

    @extend_schema(operation_id="access_keys_delete", responses={204: None, **REFUSED, **NOT_FOUND})
    def delete(self, request: Request, access_key_id: str) -> Response:
        """Its uploads stay, and those in progress are its principal's still."""
        key = _key(access_key_id)
        with transaction.atomic():
            note_deleted(request.user, key)
            key.delete()
        return Response(status=204)


def _key(access_key_id: str) -> AccessKey:
    key = AccessKey.objects.filter(access_key_id=access_key_id).first()
    if key is None:
        raise NotFound("There is no such access key in the database.")
    return key
