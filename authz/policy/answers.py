"""Reads what engines answer, as far as it is the same for all of them."""

from __future__ import annotations

import json
from typing import Any

from .base import EngineFailure


def read_object(body: bytes) -> dict[str, Any]:
    """The JSON object in an answer. Raises EngineFailure."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        raise EngineFailure("malformed_answer", "the answer is not JSON", is_outage=False) from None
    if not isinstance(document, dict):
        raise EngineFailure("malformed_answer", "the answer is not a JSON object", is_outage=False)
    return document


def refused(status: int, detail: str = "") -> EngineFailure:
    """An HTTP status other than 200. Only the engine's own troubles are an outage: what a question can
    bring about (4xx) is none."""
    is_outage = status >= 500 or status == 429
    return EngineFailure(f"http_{status}", detail or f"HTTP {status}", is_outage=is_outage)
