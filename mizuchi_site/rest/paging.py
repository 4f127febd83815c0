"""Lists that are read from the newest on, without anything being counted."""

from __future__ import annotations

from typing import Any, TypeVar
from urllib.parse import urlencode

from django import forms
from django.db.models import Model, QuerySet
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

MAX_ID = 2**63 - 1
_LIMIT = 50

Row = TypeVar("Row", bound=Model)
Form = TypeVar("Form", bound=forms.Form)


class PageFilters(forms.Form):
    """Which page of a list. Forms of lists add what they filter by."""

    limit = forms.IntegerField(
        label=f"At most so many ({_LIMIT})", required=False, min_value=1, max_value=500
    )
    before = forms.IntegerField(
        label="Older than the one with this id", required=False, min_value=1, max_value=MAX_ID
    )


def asked_for(form: type[Form], request: Request) -> Form:
    """The query parameters. Raises ValidationError (400)."""
    asked = form(request.query_params)
    if not asked.is_valid():
        raise ValidationError({name: list(map(str, texts)) for name, texts in asked.errors.items()})
    return asked


def newest(found: QuerySet[Row], asked: PageFilters, request: Request) -> dict[str, Any]:
    """``results`` with the newest rows by their primary key, and in ``next`` where older ones are."""
    limit, before = asked.cleaned_data["limit"] or _LIMIT, asked.cleaned_data["before"]
    older = found.order_by("-pk") if before is None else found.order_by("-pk").filter(pk__lt=before)
    rows = list(older[: limit + 1])
    more = None
    if len(rows) > limit:
        parameters = request.query_params.dict() | {"before": str(rows[limit - 1].pk)}
        more = request.build_absolute_uri(f"{request.path}?{urlencode(parameters)}")
    return {"next": more, "results": rows[:limit]}
