"""How the admin shows what the room has."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal

from django.utils.html import format_html


def tag(text: str, tone: Literal["ok", "warn", "bad", ""] = "") -> str:
    """A word on a coloured ground; the word alone tells it, too."""
    return format_html('<span class="desk-tag {}">{}</span>', tone, text)


def to_the_minute(moment: datetime) -> str:
    """In UTC."""
    return format_html('<span class="nowrap">{}</span>', f"{moment.astimezone(UTC):%Y-%m-%d %H:%M}")


def to_the_second(moment: datetime) -> str:
    """In UTC."""
    return format_html('<span class="nowrap">{}</span>', f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}")
