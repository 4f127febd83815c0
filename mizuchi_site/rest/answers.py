"""Answers that views of the REST API have in common, for its description."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from drf_spectacular.utils import OpenApiResponse
from rest_framework import serializers


class DetailSerializer(serializers.Serializer[Any]):
    """Why there is no answer."""

    detail = serializers.CharField()


REFUSED: Final[Mapping[int, OpenApiResponse]] = {
    401: OpenApiResponse(DetailSerializer, "Not logged in"),
    403: OpenApiResponse(DetailSerializer, "Not allowed"),
}
FAULTS: Final[Mapping[int, OpenApiResponse]] = {
    400: OpenApiResponse({"type": "object", "additionalProperties": True}, "What is wrong, by field")
}
NOT_FOUND: Final[Mapping[int, OpenApiResponse]] = {404: OpenApiResponse(DetailSerializer, "There is none")}
