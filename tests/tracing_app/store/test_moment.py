from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from tracing_app.store.moment import parse_moment

NOW = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("45s", NOW - timedelta(seconds=45)),
        ("15m", NOW - timedelta(minutes=15)),
        ("2h", NOW - timedelta(hours=2)),
        ("1.5h", NOW - timedelta(minutes=90)),
        ("1d", NOW - timedelta(days=1)),
        ("0s", NOW),
        ("2026-02-28", datetime(2026, 2, 28, tzinfo=UTC)),
        ("2026-02-28 08:15", datetime(2026, 2, 28, 8, 15, tzinfo=UTC)),
        ("2026-02-28T08:15:30.5", datetime(2026, 2, 28, 8, 15, 30, 500_000, tzinfo=UTC)),
        ("2026-02-28T08:15:30Z", datetime(2026, 2, 28, 8, 15, 30, tzinfo=UTC)),
        ("2026-02-28T08:15:30+01:00", datetime(2026, 2, 28, 8, 15, 30, tzinfo=timezone(timedelta(hours=1)))),
    ],
)
def test_moments(text: str, moment: datetime) -> None:
    parsed = parse_moment(text, now=NOW)

    assert parsed == moment
    assert parsed.tzinfo is not None


@pytest.mark.parametrize(
    "text", ["", "yesterday", "15", "m", "15 m", "-15m", "1y", "9" * 30 + "d", "2026-02-30", "1" * 5000 + "d"]
)
def test_what_is_no_moment(text: str) -> None:
    with pytest.raises(ValueError, match="must be a time like 2026-01-31T12:00, or ago like 15m, 2h, 1d"):
        parse_moment(text, now=NOW)
