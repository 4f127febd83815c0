from __future__ import annotations

import logging

import pytest

from tracing_app.api import stage, trace


def test_a_stage_is_logged_with_its_trace_attributes_and_error(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "mizuchi.trace")

    def work() -> None:
        with trace("abc"), stage("upload.part", {"a": 1}) as current:
            current.set("b", 2)
            raise ValueError("x")

    with pytest.raises(ValueError, match="x"):
        work()

    (line,) = caplog.messages
    assert line.startswith("upload.part ")
    assert "trace_id=abc error=ValueError {'a': 1, 'b': 2}" in line
