"""The reference for who writes rules has all that may be written."""

from __future__ import annotations

from typing import get_args

import pytest

from tracing_app.sampling import reference
from tracing_app.sampling.expression import OPERATORS, parse_condition
from tracing_app.sampling.fields import FIELDS, Kind, parse_field, parse_value
from tracing_app.sampling.keeping import parse_keeping
from tracing_app.sampling.rules import parse_rules


def test_it_is_complete() -> None:
    assert list(reference.FIELD_MEANINGS) == list(FIELDS)
    assert list(reference.OPERATOR_MEANINGS) == list(OPERATORS)
    assert {*reference.VALUES, "text", "any"} == set(get_args(Kind))


def test_what_it_shows_can_be_written() -> None:
    for keep in reference.KEEP_MEANINGS:
        parse_keeping(keep)
    for field in reference.ATTRIBUTE_MEANINGS:
        parse_field(field)
    assert len(parse_rules(reference.EXAMPLES)) == 4


@pytest.mark.parametrize("kind", ["number", "duration", "size", "flag"])
def test_its_values_are_of_their_kind(kind: Kind) -> None:
    (field,) = [name for name, field in FIELDS.items() if field.kind == kind][:1]
    for value in reference.VALUES[kind].split(", "):
        parse_value(value, kind)
        parse_condition(f"{field} = {value}")
