"""Numbers as people read them."""

from __future__ import annotations

import pytest

from mizuchi_site.desk.number_text import (
    bytes_text,
    count_text,
    counts_text,
    rate_text,
    reasons_text,
    share_text,
)
from tests.mizuchi_site.desk.number_cases import CASES

FUNCTIONS = {
    "count": count_text,
    "rate": rate_text,
    "bytes": bytes_text,
    "share": share_text,
    "counts": counts_text,
    "reasons": reasons_text,
}


@pytest.mark.parametrize(("kind", "value", "text"), CASES)
def test_numbers(kind: str, value: object, text: str) -> None:
    assert FUNCTIONS[kind](value) == text  # type: ignore[operator]


def test_every_kind_has_cases() -> None:
    assert {kind for kind, _, _ in CASES} == set(FUNCTIONS)
