"""The help beside the rule editor."""

from __future__ import annotations

from dataclasses import dataclass

from tracing_app.sampling.fields import FIELDS
from tracing_app.sampling.reference import (
    ATTRIBUTE_MEANINGS,
    EXAMPLES,
    FIELD_MEANINGS,
    KEEP_MEANINGS,
    OPERATOR_MEANINGS,
    VALUES,
)
from tracing_app.sampling.rules import RuleText


@dataclass(frozen=True, slots=True)
class Named:
    """Something to write, what it means, and what values of it look like where they are no texts."""

    name: str
    meaning: str
    values: str = ""


@dataclass(frozen=True, slots=True)
class RuleReference:
    fields: tuple[Named, ...]
    operators: tuple[Named, ...]
    keeps: tuple[Named, ...]
    examples: tuple[RuleText, ...]


REFERENCE = RuleReference(
    fields=(
        *(Named(name, FIELD_MEANINGS[name], VALUES.get(field.kind, "")) for name, field in FIELDS.items()),
        *(Named(name, meaning) for name, meaning in ATTRIBUTE_MEANINGS.items()),
    ),
    operators=tuple(Named(name, meaning) for name, meaning in OPERATOR_MEANINGS.items()),
    keeps=tuple(Named(name, meaning) for name, meaning in KEEP_MEANINGS.items()),
    examples=EXAMPLES,
)
