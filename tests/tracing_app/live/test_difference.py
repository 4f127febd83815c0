"""How two people's changes of live settings go together."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracing_app.live.difference import FROM_FILE, Change, difference, merge
from tracing_app.live.overrides import LIVE_KEYS

overrides = st.dictionaries(st.sampled_from(LIVE_KEYS), st.sampled_from([None, 1, 2]))


def test_keys_that_differ_in_the_order_of_the_live_keys() -> None:
    before = {"sampling.ratio": 0.1, "sampling.errors": True, "later.key": 1}
    after = {"sampling.errors": True, "enabled": False}

    assert difference(before, after) == (
        Change("enabled", FROM_FILE, False),
        Change("sampling.ratio", 0.1, FROM_FILE),
        Change("later.key", 1, FROM_FILE),
    )


@pytest.mark.parametrize(
    ("base", "mine", "theirs", "merged", "conflicts"),
    [
        ({}, {"a": 1}, {"b": 2}, {"a": 1, "b": 2}, ()),
        ({"a": 1}, {"a": 2}, {"a": 1, "b": 2}, {"a": 2, "b": 2}, ()),
        ({"a": 1}, {}, {"a": 1, "b": 2}, {"b": 2}, ()),
        ({"a": 1}, {"a": 1}, {}, {}, ()),
        ({"a": 1}, {"a": 2}, {"a": 3}, {"a": 2}, ("a",)),
        ({"a": 1}, {"a": 2}, {}, {"a": 2}, ("a",)),
        ({"a": 1}, {}, {"a": 3}, {}, ("a",)),
        ({"a": 1}, {"a": 2}, {"a": 2}, {"a": 2}, ()),
    ],
)
def test_both_sides_changes_are_kept(
    base: dict[str, Any],
    mine: dict[str, Any],
    theirs: dict[str, Any],
    merged: dict[str, Any],
    conflicts: tuple[str, ...],
) -> None:
    found = merge(base, mine, theirs)

    assert found.overrides == merged
    assert found.conflicts == conflicts


@given(overrides, overrides, overrides)
def test_nothing_that_either_changed_is_lost(
    base: dict[str, Any], mine: dict[str, Any], theirs: dict[str, Any]
) -> None:
    merged = merge(base, mine, theirs)

    for change in difference(base, mine):
        assert merged.overrides.get(change.key, FROM_FILE) == change.after
    for change in difference(base, theirs):
        now = merged.overrides.get(change.key, FROM_FILE)
        assert now == change.after or change.key in merged.conflicts
    assert merge(base, base, theirs).overrides == theirs
    assert merge(base, mine, base).overrides == mine
