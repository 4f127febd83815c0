"""The query parameters of a form, for the API's description."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

from django import forms
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter

_TYPES = (
    (forms.DateTimeField, OpenApiTypes.DATETIME),
    (forms.FloatField, OpenApiTypes.DOUBLE),
    (forms.IntegerField, OpenApiTypes.INT),
)


def form_parameters(form: type[forms.Form]) -> list[OpenApiParameter]:
    """Each field as a parameter, described by its label."""
    return [_parameter(name, field) for name, field in form.base_fields.items()]


def _parameter(name: str, field: forms.Field) -> OpenApiParameter:
    kind = next((kind for of, kind in _TYPES if isinstance(field, of)), OpenApiTypes.STR)
    return OpenApiParameter(
        name, kind, required=field.required, description=str(field.label), enum=_values(field)
    )


def _values(field: forms.Field) -> list[str] | None:
    if not isinstance(field, forms.ChoiceField):
        return None
    choices = cast("Iterable[tuple[str, str]]", field.choices)
    return [value for value, _ in choices if value]
