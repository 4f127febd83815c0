"""Gives memory that nobody uses back to the system."""

from __future__ import annotations

import ctypes

_trim = getattr(ctypes.CDLL(None), "malloc_trim", None)


def give_back_memory() -> None:
    """After a burst of uploads the C library keeps their buffers, half a MiB of each, for ever: small blocks
    that live on keep it from giving back what lies below them. Takes a few milliseconds, without the
    interpreter's lock. Does nothing where the C library is not glibc."""
    if _trim is not None:
        _trim(0)
