"""Bucket and key of a request, from its path and host."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Address:
    """Which bucket and key a request names; both None for the service root."""

    bucket: str | None
    key: str | None
