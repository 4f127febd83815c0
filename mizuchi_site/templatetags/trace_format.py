"""Values of traces as the desk's templates show them."""

from __future__ import annotations

from datetime import datetime

from django import template

from mizuchi_site.desk.durations import duration_text
from mizuchi_site.desk.number_text import bytes_text
from tracing_app.store.models import Outcome

register = template.Library()
register.filter("duration", duration_text)
register.filter("bytes", bytes_text)

_CLASSES: dict[Outcome, str] = {"ok": "ok", "refused": "warn", "error": "bad"}


@register.filter
def percent(place: float) -> str:
    """As an attribute of SVG, whatever the language."""
    return f"{place:.6g}%"


@register.filter
def to_the_millisecond(moment: datetime) -> str:
    """As ``2026-01-31 12:00:00.123``."""
    return moment.isoformat(" ", "milliseconds").partition("+")[0]


@register.filter
def outcome_class(outcome: Outcome) -> str:
    """The colour of a tag."""
    return _CLASSES[outcome]
