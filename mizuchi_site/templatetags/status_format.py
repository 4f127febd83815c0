"""Values of the status page as its templates show them; ``static/desk/status_values.js`` does the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from django import template

from mizuchi_site.desk.durations import duration_text
from mizuchi_site.desk.number_text import (
    NONE,
    bytes_text,
    count_text,
    counts_text,
    rate_text,
    reasons_text,
    share_text,
)
from uploads.statistics.recorder import NO_BUCKET

register = template.Library()

_TAGS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("ok", "healthy", "closed", "at work"), "ok"),
    **dict.fromkeys(("degraded", "failing", "spooling", "half-open"), "warn"),
}
_EXPORTS: Final[Mapping[str, str]] = {
    "export": "Spans to the collector",
    "store": "Spans to the store on this machine",
    "logs": "Log records to the collector",
}


def _if_any(text: Callable[[Any], str]) -> Callable[[Any], str]:
    """A dash for nothing, which the rows that a script fills have in every place."""

    def shown(value: Any) -> str:
        return NONE if value is None or value == "" else text(value)

    return shown


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}"


def _elapsed(seconds: float) -> str:
    """In whole seconds."""
    return f"{seconds:.0f} s" if seconds < 59.5 else duration_text(seconds * 1000)


def _bucket(bucket: str) -> str:
    return "not configured" if bucket == NO_BUCKET else bucket


_TEXTS: Final[Mapping[str, Callable[[Any], str]]] = {
    "count": count_text,
    "rate": rate_text,
    "bytes": bytes_text,
    "share": share_text,
    "counts": counts_text,
    "reasons": reasons_text,
    "duration": duration_text,
    "seconds": lambda seconds: duration_text(seconds * 1000),
    "elapsed": _elapsed,
    "moment": _moment,
    "clock": lambda moment: f"{moment:%H:%M:%S}",
    "sum": lambda counts: count_text(sum(counts.values())),
    "presence": lambda is_gone: "gone" if is_gone else "at work",
    "export": lambda name: _EXPORTS.get(name, name),
    "list": ", ".join,
    "bucket": _bucket,
}
for _name, _text in _TEXTS.items():
    register.filter(_name, _if_any(_text))


@register.filter
def since(moment: datetime | str, now: datetime | str) -> str:
    """How long ago that was."""
    if not isinstance(moment, datetime) or not isinstance(now, datetime):
        return NONE
    return _elapsed(max((now - moment).total_seconds(), 0.0))


@register.filter
def tag(state: str) -> str:
    """The colour of a tag; what is not known to be well is not."""
    return _TAGS.get(state, "bad") if state else ""


@register.filter
def breaker_tag(breakers: Mapping[str, int] | str) -> str:
    """The colour for the worst of several."""
    found = {tag(state) for state in breakers}
    return next((colour for colour in ("bad", "warn", "ok") if colour in found), "")
