"""Live settings and their changes as people read them."""

from __future__ import annotations

from typing import Any

import pytest

from mizuchi_site.setting_text import Line, change_text, shown_change, value_text
from tracing_app.live.difference import FROM_FILE, Change

RULES = [{"name": name, "when": f"bucket = {name}", "keep": "1%"} for name in "abcdef"]


@pytest.mark.parametrize(
    ("key", "value", "text"),
    [
        ("enabled", True, "on"),
        ("sampling.ratio", 1.0, "1"),
        ("sampling.ratio", 0.123456789, "0.123456789"),
        ("sampling.strategy", "never", "never"),
        ("sampling.slow_request_ms", 2000.0, "2000 ms"),
        ("sampling.slow_request_ms", None, "none"),
        ("sampling.max_traces_per_second", 0.5, "0.5 traces/s"),
        ("sampling.rules", RULES, "6 rules"),
        ("sampling.rules", RULES[:1], "1 rule"),
        ("sampling.rules", FROM_FILE, "as in the file"),
    ],
)
def test_a_value_has_its_unit(key: str, value: Any, text: str) -> None:
    assert value_text(key, value) == text


def test_rules_that_differ_with_their_neighbours() -> None:
    changed = [*RULES[:3], {"name": "new", "keep": "never"}, *RULES[4:]]

    shown = shown_change(Change("sampling.rules", RULES, changed))

    assert shown.lines == (
        Line("", "c: 1%, when bucket = c"),
        Line("-", "d: 1%, when bucket = d"),
        Line("+", "new: never, for all others"),
        Line("", "e: 1%, when bucket = e"),
    )


def test_a_change_of_the_order_is_one() -> None:
    shown = shown_change(Change("sampling.rules", RULES[:2], [RULES[1], RULES[0]]))

    assert sorted(line.sign for line in shown.lines) == ["", "+", "-"]


def test_what_the_file_says_is_told_where_it_is_known() -> None:
    change = Change("sampling.rules", FROM_FILE, [])

    shown = shown_change(change, {"sampling.rules": RULES[:1]})

    assert (shown.before, shown.after) == ("1 rule (file)", "0 rules")
    assert [line.sign for line in shown.lines] == ["-"]
    assert shown_change(change).lines == ()


def test_changes_in_a_line() -> None:
    changes = [Change("enabled", FROM_FILE, False), Change("sampling.ratio", 0.5, FROM_FILE)]

    assert change_text(changes) == "enabled: as in the file -> off; sampling.ratio: 0.5 -> as in the file"
