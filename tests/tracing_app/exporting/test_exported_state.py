"""Of ``tracestate`` only what OpenTelemetry itself defines is exported; clients write the rest."""

from __future__ import annotations

import pytest
from opentelemetry.trace import TraceState

from tracing_app.exporting.exported_state import exported_state


@pytest.mark.parametrize(
    ("members", "exported"),
    [
        ([], ""),
        ([("vendor", "alice@example.org")], ""),
        ([("ot", "th:8")], "ot=th:8"),
        ([("vendor", "alice"), ("ot", "th:c;rv:0123456789abcd")], "ot=th:c;rv:0123456789abcd"),
        ([("ot", "rv:0123456789abcd;th:0;alice:1")], "ot=rv:0123456789abcd;th:0"),
        ([("ot", "th:alice")], ""),
        ([("ot", "th:0123456789abcde")], ""),
        ([("ot", "rv:0123")], ""),
        ([("ot", "TH:8")], ""),
        ([("ot", "")], ""),
    ],
)
def test_what_is_exported(members: list[tuple[str, str]], exported: str) -> None:
    assert exported_state(TraceState(members)) == exported
