"""Live tracing settings and their changes as people read them."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from tracing_app.live.difference import FROM_FILE, Change

_UNITS: Final = {"sampling.slow_request_ms": "ms", "sampling.max_traces_per_second": "traces/s"}
_RULES: Final = "sampling.rules"


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a difference: ``-`` was, ``+`` is, the empty sign: stays."""

    sign: Literal["+", "-", ""]
    text: str


@dataclass(frozen=True, slots=True)
class ShownChange:
    """``lines`` are of the rules; of other keys, ``before`` and ``after`` say all."""

    key: str
    before: str
    after: str
    lines: tuple[Line, ...] = ()


def value_text(key: str, value: Any) -> str:
    """A value with its unit."""
    if value is FROM_FILE:
        return str(FROM_FILE.value)
    if key == _RULES and isinstance(value, Sequence):
        return f"{len(value)} rule{'s' if len(value) != 1 else ''}"
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "on" if value else "off"
    number = number_text(value) if isinstance(value, (int, float)) else str(value)
    return f"{number} {_UNITS[key]}" if key in _UNITS else number


def number_text(value: float) -> str:
    """As one would type it: ``2000`` for 2000.0, and no digit lost."""
    return repr(value).removesuffix(".0")


def rule_text(rule: Mapping[str, Any]) -> str:
    """``name: 10% of those where condition``."""
    when = str(rule.get("when", "")).strip()
    return f"{rule.get('name')}: {rule.get('keep')}, " + (f"when {when}" if when else "for all others")


def shown_change(change: Change, in_file: Mapping[str, Any] | None = None) -> ShownChange:
    """A change for a page. Where ``in_file`` has the file's values of now, they are told and compared."""
    before, after = (_resolved(change.key, side, in_file) for side in (change.before, change.after))
    lines = _lines(_rules(before[0]), _rules(after[0])) if change.key == _RULES else ()
    return ShownChange(change.key, before[1], after[1], tuple(lines))


def _resolved(key: str, value: Any, in_file: Mapping[str, Any] | None) -> tuple[Any, str]:
    """The value, and its text."""
    if value is FROM_FILE and in_file and key in in_file:
        return in_file[key], f"{value_text(key, in_file[key])} (file)"
    return value, value_text(key, value)


def change_text(changes: Sequence[Change]) -> str:
    """Changes in one line, for logs."""
    shown = [shown_change(change) for change in changes]
    return "; ".join(f"{each.key}: {each.before} -> {each.after}" for each in shown)


def _rules(value: Any) -> list[str]:
    return [rule_text(rule) for rule in value] if isinstance(value, list) else []


def _lines(before: list[str], after: list[str]) -> list[Line]:
    """Those that differ, each with a neighbour on both sides."""
    lines: list[Line] = []
    for text in list(difflib.unified_diff(before, after, n=1, lineterm=""))[2:]:
        sign: Literal["+", "-", ""] = "+" if text[0] == "+" else "-" if text[0] == "-" else ""
        if text[0] != "@":
            lines.append(Line(sign, text[1:]))
    return lines
