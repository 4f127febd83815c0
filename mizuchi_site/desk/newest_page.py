"""A page of a list that is read from the newest on, without anything being counted."""

from __future__ import annotations

from typing import Any, TypeVar
from urllib.parse import urlencode

from django.db.models import Model, QuerySet
from django.http import HttpRequest

Row = TypeVar("Row", bound=Model)


def newest_page(request: HttpRequest, found: QuerySet[Row], size: int) -> dict[str, Any]:
    """``rows`` by their primary key from ``before`` of the query string on, the query string of the ``older``
    ones ("" without any), and of the ``newest`` where these are not they (else None)."""
    before = request.GET.get("before", "")
    given = {name: value for name, value in request.GET.items() if name != "before" and value}
    rows = found.order_by("-pk")
    if is_older := before.isascii() and before.isdigit() and len(before) < 19:
        rows = rows.filter(pk__lt=int(before))
    read = list(rows[: size + 1])
    page = read[:size]
    return {
        "rows": page,
        "older": urlencode({**given, "before": page[-1].pk}) if len(read) > size else "",
        "newest": urlencode(given) if is_older else None,
    }
