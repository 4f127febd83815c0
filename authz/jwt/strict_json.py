"""JSON objects of strangers, read so that no two readers can understand them differently.

Refused, where Python's own reader is generous: members given twice (RFC 8725, 2.6 and RFC 8259, 4), NaN and
Infinity, numbers that overflow, lone surrogates, nesting deeper than ``MAX_DEPTH``.
"""

from __future__ import annotations

import json
import math
from typing import Any

MAX_DEPTH = 8


def parse_object(raw: bytes) -> dict[str, Any]:
    """The JSON object in ``raw``. Raises ValueError, without a word of what it holds."""
    try:
        value = json.loads(
            raw.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_refused, parse_float=_finite
        )
    except (ValueError, RecursionError):
        raise ValueError("does not give a JSON object with unique members") from None
    if not isinstance(value, dict):
        raise ValueError("does not give a JSON object")
    _check(value, 1)
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member is given twice")
    return members


def _refused(name: str) -> Any:
    raise ValueError("NaN and Infinity are no JSON")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("a number overflows")
    return number


def _check(value: Any, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise ValueError("nested too deep")
    if isinstance(value, dict):
        for name, member in value.items():
            _check(name, depth)
            _check(member, depth + 1)
    elif isinstance(value, list):
        for item in value:
            _check(item, depth + 1)
    elif isinstance(value, str) and not value.isascii():
        value.encode()  # UnicodeEncodeError, a ValueError, for a lone surrogate
