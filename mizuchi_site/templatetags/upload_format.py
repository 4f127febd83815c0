"""Values of uploads as the desk's templates show them."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import urlencode

from django import template

from mizuchi_site.desk.durations import duration_text
from mizuchi_site.desk.number_text import bytes_text
from uploads.models import UploadRecord
from uploads.progress.board import UploadInFlight

register = template.Library()
register.filter("size", bytes_text)

_CLASSES = {
    UploadRecord.State.STORED: "ok",
    UploadRecord.State.FAILED: "bad",
    UploadRecord.State.ABORTED: "warn",
}
_KEY_CHARACTERS = 160


@register.filter
def exact_size(number: int) -> str:
    """``4.9 MiB (5,184,000 bytes)``."""
    exactly = f"{number:,} byte{'' if number == 1 else 's'}"
    return exactly if number < 1024 else f"{bytes_text(number)} ({exactly})"


@register.filter
def state_class(state: str) -> str:
    """The colour of a tag; none of an upload in progress."""
    return _CLASSES.get(state, "")  # type: ignore[call-overload, no-any-return]


@register.filter
def took(record: UploadRecord) -> str:
    """From its begin to its end; "" while it has none."""
    if record.finished_at is None:
        return ""
    return duration_text(max(0.0, (record.finished_at - record.started_at).total_seconds() * 1e3))


@register.filter
def to_the_second(moment: datetime) -> str:
    """As ``2026-01-31 12:00:00``."""
    return moment.isoformat(" ", "seconds").partition("+")[0]


@register.filter
def short_key(key: str) -> str:
    """The end of a long key tells more than its beginning."""
    return key if len(key) <= _KEY_CHARACTERS else f"…{key[1 - _KEY_CHARACTERS :]}"


@register.filter
def amount(flight: UploadInFlight) -> str:
    """How much has come: ``3.0 MiB of 8.0 MiB · 37 %``, ``12 parts, 96.0 MiB``."""
    came = bytes_text(flight.received_bytes)
    if flight.is_multipart:
        parts = flight.record.parts or 0
        return f"{parts} part{'' if parts == 1 else 's'}, {came}"
    if not flight.declared_bytes:
        return came if flight.bodies else "just begun"
    share = flight.received_bytes / flight.declared_bytes
    return f"{came} of {bytes_text(flight.declared_bytes)} · {int(share * 100)} %"


@register.filter
def per_mille(part: float) -> str:
    """A part of one as a place in an SVG of 1000 units, whatever the locale."""
    return f"{part * 1000:.2f}"


@register.filter
def percent(part: float) -> str:
    """``12 %``, ``0.4 %``."""
    return f"{part * 100:.1f} %" if part < 0.1 else f"{part * 100:.0f} %"


@register.simple_tag
def querystring_of(**parameters: str) -> str:
    """For the address of a list."""
    return urlencode(parameters)
