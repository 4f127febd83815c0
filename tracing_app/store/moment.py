"""Moments as an operator types them: ISO 8601, or how long ago."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

_AGO = re.compile(r"(?P<number>[0-9]{1,9}(?:\.[0-9]{1,9})?)(?P<unit>[smhd])", re.ASCII)
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_WANTED = "must be a time like 2026-01-31T12:00, or ago like 15m, 2h, 1d"


def parse_moment(text: str, *, now: datetime) -> datetime:
    """A date or time (UTC unless it says otherwise), or that long before ``now``. Raises ValueError."""
    ago = _AGO.fullmatch(text)
    try:
        if ago is not None:
            return now - timedelta(**{_UNITS[ago["unit"]]: float(ago["number"])})
        moment = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        raise ValueError(f"{text[:40]!r} {_WANTED}") from None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
