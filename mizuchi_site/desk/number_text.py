"""Numbers as people read them. The same as ``static/desk/numbers.js``."""

from __future__ import annotations

from typing import Final

NONE: Final = "\N{EN DASH}"
_UNITS: Final = ("KiB", "MiB", "GiB", "TiB", "PiB")


def count_text(number: float) -> str:
    """``12,345``."""
    return f"{number:,.0f}"


def rate_text(number: float) -> str:
    """With a decimal below 10: ``0``, ``0.4``, ``128``; what is nearly none is ``< 0.1``."""
    if number <= 0:
        return "0"
    if number < 0.1:
        return "< 0.1"
    return f"{number:.1f}" if number < 9.95 else count_text(number)


def bytes_text(number: float) -> str:
    """``512 B``, ``1.5 MiB``."""
    if number < 1024:
        return f"{number:.0f} B"
    unit = 0
    while (number := number / 1024) >= 1023.5 and unit < len(_UNITS) - 1:
        unit += 1
    return f"{number:.1f} {_UNITS[unit]}" if number < 99.95 else f"{number:,.0f} {_UNITS[unit]}"


def share_text(share: float | None) -> str:
    """A share of 1 in percent; only all is ``100 %`` and only nothing ``0 %``."""
    if share is None:
        return NONE
    if share in (0, 1):
        return f"{share * 100:.0f} %"
    if share < 0.001:
        return "< 0.1 %"
    return "> 99.9 %" if share > 0.999 else f"{share * 100:.1f} %"


def counts_text(counts: dict[str, int]) -> str:
    """``closed`` when all are of one kind, else ``open 1, closed 3``."""
    if len(counts) < 2:
        return next(iter(counts), NONE)
    return ", ".join(f"{name} {count_text(count)}" for name, count in counts.items())


def reasons_text(counts: dict[str, int]) -> str:
    """How many there are, and of what: ``7 (queue_full 5, shutdown 2)``."""
    total = count_text(sum(counts.values()))
    told = ", ".join(f"{name} {count_text(count)}" for name, count in counts.items())
    return f"{total} ({told})" if told else total
