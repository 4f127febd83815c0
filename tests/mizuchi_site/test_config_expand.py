"""Variables in values."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mizuchi_site.config.expand import Expanded, ExpansionFault, expand_text, expand_tree

ENVIRON = {"SET": "value", "EMPTY": "", "YAML": "a: [b]\n- c", "REFERENCE": "${SET} $$", "_A1": "x"}


@pytest.mark.parametrize(
    ("text", "expanded", "variables"),
    [
        ("plain", "plain", ()),
        ("", "", ()),
        ("${SET}", "value", ("SET",)),
        ("${EMPTY}", "", ("EMPTY",)),
        ("${_A1}", "x", ("_A1",)),
        ("a-${SET}-b", "a-value-b", ("SET",)),
        ("${SET}${EMPTY}${SET}", "valuevalue", ("SET", "EMPTY", "SET")),
        ("${SET:-other}", "value", ("SET",)),
        ("${EMPTY:-other}", "other", ("EMPTY",)),
        ("${UNSET:-other}", "other", ("UNSET",)),
        ("${SET-other}", "value", ("SET",)),
        ("${EMPTY-other}", "", ("EMPTY",)),
        ("${UNSET-other}", "other", ("UNSET",)),
        ("${UNSET:-}", "", ("UNSET",)),
        ("${UNSET-}", "", ("UNSET",)),
        ("${UNSET:-http://h:1/p-q?a=$$b}", "http://h:1/p-q?a=$$b", ("UNSET",)),
        ("$$", "$", ()),
        ("$$$$", "$$", ()),
        ("$${SET}", "${SET}", ()),
        ("$$${SET}", "$value", ("SET",)),
        ("cost $5", "cost $5", ()),
        ("^[a-z]+$", "^[a-z]+$", ()),
        ("$SET", "$SET", ()),
        ("${REFERENCE}", "${SET} $$", ("REFERENCE",)),
        ("${YAML}", "a: [b]\n- c", ("YAML",)),
    ],
)
def test_expands(text: str, expanded: str, variables: tuple[str, ...]) -> None:
    result = expand_text(text, ENVIRON)
    assert result == expanded
    assert getattr(result, "variables", ()) == variables


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("${UNSET}", "environment variable UNSET is not set"),
        ("a${SET}${UNSET}", "environment variable UNSET is not set"),
        ("${}", "malformed variable"),
        ("${SET", "malformed variable"),
        ("${1A}", "malformed variable"),
        ("${A B}", "malformed variable"),
        ("${SET:?message}", "malformed variable"),
        ("${SET:-${OTHER}}", "malformed variable"),
        ("${ SET }", "malformed variable"),
    ],
)
def test_refuses(text: str, complaint: str) -> None:
    with pytest.raises(ExpansionFault, match=complaint):
        expand_text(text, ENVIRON)


def test_expands_values_at_any_depth_but_no_keys() -> None:
    tree = {"${SET}": ["${SET}", {"k": "${UNSET:-d}"}], "n": 1, "f": 1.5, "b": True, "z": None}
    expanded = {"${SET}": ["value", {"k": "d"}], "n": 1, "f": 1.5, "b": True, "z": None}
    assert expand_tree(tree, ENVIRON) == (expanded, [])


def test_reports_every_variable_that_is_missing() -> None:
    _, faults = expand_tree({"a": ["${U1}"], "b": {"c": "${U2}"}, "d": "${SET}"}, ENVIRON)
    assert [fault.location for fault in faults] == [("a", 0), ("b", "c")]


@given(st.text())
def test_a_value_is_never_read_again(value: str) -> None:
    assert expand_text("${V}", {"V": value}) == value


@given(st.text())
def test_doubled_dollars_give_any_text_back(text: str) -> None:
    expanded = expand_text(text.replace("$", "$$"), {})
    assert expanded == text
    assert not isinstance(expanded, Expanded)
