"""Signed requests for uploads in the browser."""

from __future__ import annotations

from typing import Any, Final

from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from authz.apps import authz_app
from mizuchi_site.signed_requests import DEFAULT_CONTENT_TYPE, OPERATIONS, ObjectRequest, sign
from uploads.http import client_authority
from uploads.s3.addressing import MAX_KEY_BYTES, check_key
from uploads.s3.errors import S3Error
from uploads.s3.operations import Operation

from .answers import FAULTS, NOT_FOUND, REFUSED
from .views import RestView

_REQUIRED: Final = {
    Operation.PUT_OBJECT: ("checksum_sha256",),
    Operation.CREATE_MULTIPART_UPLOAD: (),
    Operation.UPLOAD_PART: ("upload_id", "part_number", "checksum_sha256"),
    Operation.LIST_PARTS: ("upload_id",),
    Operation.COMPLETE_MULTIPART_UPLOAD: ("upload_id",),
    Operation.ABORT_MULTIPART_UPLOAD: ("upload_id",),
}


class ObjectRequestSerializer(serializers.Serializer[ObjectRequest]):
    """An operation on an object. What it has no use for is ignored."""

    operation = serializers.ChoiceField(OPERATIONS, help_text="The S3 operation that is to be sent.")
    bucket = serializers.CharField(max_length=63)
    key = serializers.CharField(max_length=MAX_KEY_BYTES, trim_whitespace=False)
    upload_id = serializers.RegexField(
        r"\A[A-Za-z0-9_-]+\Z", max_length=4096, required=False, help_text="Of all operations on an upload."
    )
    part_number = serializers.IntegerField(
        min_value=1, max_value=10_000, required=False, help_text="Of UploadPart."
    )
    part_number_marker = serializers.IntegerField(
        min_value=0, max_value=10_000, required=False, help_text="Of ListParts: only parts after this one."
    )
    content_type = serializers.RegexField(
        r"\A[!-~]+/[!-~][ -~]*\Z",
        max_length=255,
        default=DEFAULT_CONTENT_TYPE,
        help_text="Of PutObject and CreateMultipartUpload.",
    )
    checksum_sha256 = serializers.RegexField(
        r"\A[A-Za-z0-9+/]{43}=\Z",
        required=False,
        help_text="Of PutObject and UploadPart: the body's SHA-256 in Base64. The gateway verifies it.",
    )

    def validate_key(self, key: str) -> str:
        try:
            return check_key(key)
        except S3Error as error:
            raise serializers.ValidationError(error.message) from None

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        attrs["operation"] = Operation(attrs["operation"])
        missing = [name for name in _REQUIRED[attrs["operation"]] if name not in attrs]
        if missing:
            reason = f"{attrs['operation'].value} needs it."
            raise serializers.ValidationError({name: [reason] for name in missing[:1]})
        return attrs


class SignedRequestSerializer(serializers.Serializer[dict[str, Any]]):
    """Send ``method`` to ``url`` with these headers, before it expires."""

    method = serializers.CharField()
    url = serializers.CharField(help_text="Path and query, to be sent to the host that signed it.")
    headers = serializers.DictField(child=serializers.CharField())
    expires_at = serializers.DateTimeField()


class BrowserUploads(RestView):
    """Sign a request to the S3 API for the user who asks: one operation, one object, five minutes.

    The principal is ``user:`` and the username. Buckets are those with ``browser_upload``; what else the
    bucket asks for (limits, policy) is asked when the request is sent.
    """

    change_permission = "mizuchi_site.upload_in_browser"

    @extend_schema(
        request=ObjectRequestSerializer,
        responses={200: SignedRequestSerializer, **FAULTS, **REFUSED, **NOT_FOUND},
    )
    def post(self, request: Request) -> Response:
        serializer = ObjectRequestSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        asked = ObjectRequest(**serializer.validated_data)
        room = authz_app()
        rules = room.config.buckets.get(asked.bucket)
        if rules is None or not rules.browser_upload:
            raise NotFound("No bucket of this name is open for uploads in the browser (browser_upload).")
        _, host = client_authority(request.META, settings.UPLOADS.trusted_proxies)
        signed = sign(asked, username=request.user.get_username(), host=host, sessions=room.staff_sessions)
        answer = SignedRequestSerializer(
            {
                "method": signed.method,
                "url": signed.target,
                "headers": signed.headers,
                "expires_at": signed.expires_at,
            }
        )
        return Response(answer.data, headers={"Cache-Control": "no-store"})
