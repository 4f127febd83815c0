"""The query parameters of a form, for the API's description."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, cast

from django import forms
from django.core.validators import RegexValidator
from drf_spectacular.utils import OpenApiParameter


def form_parameters(form: type[forms.Form]) -> list[OpenApiParameter]:
    """Each field as a parameter, described by its label, with the bounds that the form sees to."""
    return [
        OpenApiParameter(name, _schema(field), required=field.required, description=str(field.label or ""))
        for name, field in form.base_fields.items()
    ]


def _schema(field: forms.Field) -> dict[str, Any]:
    match field:
        case forms.ChoiceField():
            return {"type": "string", "enum": _values(field)}
        case forms.DateTimeField():
            return {"type": "string", "format": "date-time"}
        case forms.IntegerField():
            kind = "number" if isinstance(field, forms.FloatField) else "integer"
            return _known(type=kind, minimum=field.min_value, maximum=field.max_value)
        case forms.CharField():
            return _known(type="string", maxLength=field.max_length, pattern=_pattern(field))
        case _:
            return {"type": "string"}


def _values(field: forms.ChoiceField) -> list[str]:
    """What is not required may be empty."""
    values = [value for value, _ in cast("Iterable[tuple[str, str]]", field.choices) if value]
    return values if field.required else ["", *values]


def _pattern(field: forms.CharField) -> str | None:
    """Of ECMA 262, which anchors otherwise than Python."""
    for validator in field.validators:
        if isinstance(validator, RegexValidator):
            inner = re.compile(validator.regex).pattern.removeprefix(r"\A").removesuffix(r"\Z")
            return f"^(?:{inner})$" if field.required else f"^(?:{inner})?$"
    return None


def _known(**schema: Any) -> dict[str, Any]:
    return {name: value for name, value in schema.items() if value is not None}
