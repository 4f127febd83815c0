"""``MIZUCHI_LOG``: the filter of the log for this start, whatever the file says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .expand import Expanded

VARIABLE = "MIZUCHI_LOG"


def with_log_environment(tree: dict[str, Any], environ: Mapping[str, str]) -> dict[str, Any]:
    """``tree`` with ``logging.filter`` from the variable. An empty variable counts as unset."""
    text = environ.get(VARIABLE)
    section = tree.get("logging", {})
    if not text or not isinstance(section, dict):
        return tree
    return {**tree, "logging": {**section, "filter": Expanded(text, (VARIABLE,))}}
