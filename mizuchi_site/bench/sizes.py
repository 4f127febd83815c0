"""Bytes by their units, and how they are written."""

from __future__ import annotations

KIBIBYTE, MEBIBYTE, GIBIBYTE = 1024, 1024**2, 1024**3
_UNITS = ((GIBIBYTE, "GiB"), (MEBIBYTE, "MiB"), (KIBIBYTE, "KiB"))


def size_name(size: int) -> str:
    """``64 MiB``, in the greatest unit that it is a multiple of."""
    for unit, name in _UNITS:
        if size and size % unit == 0:
            return f"{size // unit} {name}"
    return f"{size} B"
