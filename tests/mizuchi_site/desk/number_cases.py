"""Numbers and their texts: for Python here, for the browser in ``tests/e2e/desk/test_status.py``."""

from __future__ import annotations

from typing import Any

from mizuchi_site.desk.number_text import NONE

CASES: list[tuple[str, Any, str]] = [
    ("count", 0, "0"),
    ("count", 12345, "12,345"),
    ("rate", 0, "0"),
    ("rate", 0.01, "< 0.1"),
    ("rate", 0.44, "0.4"),
    ("rate", 9.94, "9.9"),
    ("rate", 9.96, "10"),
    ("rate", 1234.4, "1,234"),
    ("bytes", 0, "0 B"),
    ("bytes", 1023, "1023 B"),
    ("bytes", 1024, "1.0 KiB"),
    ("bytes", 1024 * 1023.6, "1.0 MiB"),
    ("bytes", 250 * 1024**2, "250 MiB"),
    ("bytes", 1.26 * 1024**3, "1.3 GiB"),
    ("bytes", 2048 * 1024**5, "2,048 PiB"),
    ("share", None, NONE),
    ("share", 0, "0 %"),
    ("share", 0.0001, "< 0.1 %"),
    ("share", 0.123, "12.3 %"),
    ("share", 0.9999, "> 99.9 %"),
    ("share", 1, "100 %"),
    ("counts", {}, NONE),
    ("counts", {"closed": 2}, "closed"),
    ("counts", {"open": 1, "closed": 3}, "open 1, closed 3"),
    ("reasons", {}, "0"),
    ("reasons", {"queue_full": 1200, "shutdown": 2}, "1,202 (queue_full 1,200, shutdown 2)"),
]
