"""Times as people read them."""

from __future__ import annotations

import pytest

from mizuchi_site.desk.durations import duration_text


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [
        (0, "0"),
        (0.0004, "0 µs"),
        (0.12, "120 µs"),
        (0.9999, "1000 µs"),
        (1, "1.0 ms"),
        (99.94, "99.9 ms"),
        (340.4, "340 ms"),
        (999.6, "1.00 s"),
        (2411, "2.41 s"),
        (12_340, "12.3 s"),
        (59_960, "1 min"),
        (185_000, "3 min 5 s"),
        (2 * 3_600_000 + 7 * 60_000, "2 h 7 min"),
        (100 * 3_600_000, "100 h"),
    ],
)
def test_each_has_the_unit_that_keeps_it_short(milliseconds: float, text: str) -> None:
    assert duration_text(milliseconds) == text
