"""Times as people read them."""

from __future__ import annotations


def duration_text(milliseconds: float) -> str:
    """With the unit that keeps it short: ``120 µs``, ``2.5 ms``, ``2.41 s``, ``3 min 5 s``, ``2 h 7 min``."""
    if milliseconds < 1:
        return f"{milliseconds * 1000:.0f} µs" if milliseconds > 0 else "0"
    if milliseconds < 100:
        return f"{milliseconds:.1f} ms"
    if milliseconds < 999.5:
        return f"{milliseconds:.0f} ms"
    seconds = milliseconds / 1000
    if seconds < 59.95:
        return f"{seconds:.2f} s" if seconds < 9.995 else f"{seconds:.1f} s"
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    parts = ((hours, "h"), (minutes, "min")) if hours else ((minutes, "min"), (seconds, "s"))
    return " ".join(f"{number} {unit}" for number, unit in parts if number)
