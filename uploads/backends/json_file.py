"""Reading the small JSON files that the backends keep beside the data."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")

logger = logging.getLogger(__name__)


def read_json(path: Path, from_json: Callable[[Mapping[str, Any]], T]) -> T | None:
    """What the file holds; None when it is not there, or not what ``from_json`` can read (which is
    logged: somebody else wrote it). Raises OSError."""
    try:
        written = path.read_bytes()
    except FileNotFoundError:
        return None
    return parse_json(written, path, from_json)


def parse_json(written: bytes, name: object, from_json: Callable[[Mapping[str, Any]], T]) -> T | None:
    """What these bytes say; None when ``from_json`` cannot read them, which is logged under ``name``."""
    try:
        return from_json(json.loads(written))
    except (ValueError, KeyError, TypeError) as error:
        logger.warning("ignored %s: %s", name, type(error).__name__)
        return None
