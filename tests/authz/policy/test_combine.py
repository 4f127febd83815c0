"""The whole table of two engines, each of which allows, denies or does not answer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import pytest

from authz.policy.combine import combine
from authz.policy.verdict import Outcome, Verdict

OUTCOMES: dict[str, Outcome] = {"a": "allow", "d": "deny", "e": "error"}

# opa, openfga: outcome, and which of them were asked
TABLE = {
    ("all_of", False): {
        "aa": ("allow", "aa"),
        "ad": ("deny", "ad"),
        "ae": ("error", "ae"),
        "da": ("deny", "d"),
        "dd": ("deny", "d"),
        "de": ("deny", "d"),
        "ea": ("error", "e"),
        "ed": ("error", "e"),
        "ee": ("error", "e"),
        "a": ("allow", "a"),
        "d": ("deny", "d"),
        "e": ("error", "e"),
    },
    ("all_of", True): {
        "aa": ("allow", "aa"),
        "ad": ("deny", "ad"),
        "ae": ("allow", "ae"),
        "da": ("deny", "d"),
        "dd": ("deny", "d"),
        "de": ("deny", "d"),
        "ea": ("allow", "ea"),
        "ed": ("deny", "ed"),
        "ee": ("open", "ee"),
        "a": ("allow", "a"),
        "d": ("deny", "d"),
        "e": ("open", "e"),
    },
    ("any_of", False): {
        "aa": ("allow", "a"),
        "ad": ("allow", "a"),
        "ae": ("allow", "a"),
        "da": ("allow", "da"),
        "dd": ("deny", "dd"),
        "de": ("error", "de"),
        "ea": ("allow", "ea"),
        "ed": ("error", "ed"),
        "ee": ("error", "ee"),
        "a": ("allow", "a"),
        "d": ("deny", "d"),
        "e": ("error", "e"),
    },
    ("any_of", True): {
        "aa": ("allow", "a"),
        "ad": ("allow", "a"),
        "ae": ("allow", "a"),
        "da": ("allow", "da"),
        "dd": ("deny", "dd"),
        "de": ("deny", "de"),
        "ea": ("allow", "ea"),
        "ed": ("deny", "ed"),
        "ee": ("open", "ee"),
        "a": ("allow", "a"),
        "d": ("deny", "d"),
        "e": ("open", "e"),
    },
}
ROWS = [
    (mode, fails_open, given, outcome, asked)
    for (mode, fails_open), rows in TABLE.items()
    for given, (outcome, asked) in rows.items()
]


@pytest.mark.parametrize(("mode", "fails_open", "given", "outcome", "asked"), ROWS)
def test_the_table(
    mode: Literal["all_of", "any_of"], fails_open: bool, given: str, outcome: str, asked: str
) -> None:
    taken: list[str] = []

    def verdicts() -> Iterator[Verdict]:
        for engine, letter in zip(("opa", "openfga"), given, strict=False):
            taken.append(letter)
            yield Verdict(engine, OUTCOMES[letter], f"{engine} {letter}")  # type: ignore[arg-type]

    combined = combine(mode, verdicts(), fails_open=fails_open)

    assert combined.outcome == ("allow" if outcome == "open" else outcome)
    assert combined.fell_open == (outcome == "open")
    assert "".join(taken) == asked
    assert len(combined.verdicts) == len(asked)
    if not combined.fell_open:
        decisive = next(v for v in combined.verdicts if v.outcome == combined.outcome)
        assert (combined.engine, combined.reason) == (decisive.engine, decisive.reason)


def test_every_combination_is_in_the_table() -> None:
    pairs = {first + second for first in OUTCOMES for second in OUTCOMES} | set(OUTCOMES)
    assert all(rows.keys() == pairs for rows in TABLE.values())
