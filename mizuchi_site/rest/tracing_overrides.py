"""Overrides of live tracing settings in requests and answers."""

from __future__ import annotations

from typing import Any, Final, get_args

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from tracing_app.config import Strategy
from tracing_app.sampling.expression import MAX_LENGTH
from tracing_app.sampling.rules import MAX_RULES, RULE_NAME

_RULE: Final = {
    "type": "object",
    "required": ["name", "keep"],
    "additionalProperties": False,
    "properties": {
        "name": {"type": "string", "pattern": f"^{RULE_NAME}$"},
        "when": {
            "type": "string",
            "maxLength": MAX_LENGTH,
            "description": "A condition; empty: every trace.",
        },
        "keep": {
            "anyOf": [{"type": "string"}, {"type": "number", "minimum": 0, "maximum": 1}],
            "description": "always, never, 0.1, 10%, 50/s, 50/s per bucket",
        },
    },
}
KEYS: Final[dict[str, Any]] = {
    "enabled": {"type": "boolean"},
    "sampling.strategy": {"type": "string", "enum": list(get_args(Strategy))},
    "sampling.ratio": {"type": "number", "minimum": 0, "maximum": 1},
    "sampling.errors": {"type": "boolean"},
    "sampling.slow_request_ms": {"type": "number", "minimum": 0, "maximum": 86_400_000, "nullable": True},
    "sampling.max_traces_per_second": {
        "type": "number",
        "minimum": 0.001,
        "maximum": 1_000_000,
        "nullable": True,
    },
    "sampling.rules": {"type": "array", "items": _RULE, "maxItems": MAX_RULES},
}
"""Each live key as OpenAPI describes it."""


@extend_schema_field({"type": "object", "properties": KEYS, "additionalProperties": False})
class OverridesField(serializers.DictField):
    """Live keys and their values. What they may be is seen to where they are saved."""

    child = serializers.JSONField(allow_null=True)
