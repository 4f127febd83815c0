"""The compiled modules do what their sources say: the same tests hold for both, the same bytes are sent."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings

from tests.tracing_app.exporting.otlp_samples import RESOURCE, request_trace
from tests.tracing_app.exporting.test_otlp_wire import traces
from tracing_app import compiled, compiling
from tracing_app.exporting import otlp_wire
from tracing_app.recording.data import TraceData

ROOT = Path(__file__).resolve().parents[2]

needs_compiler = pytest.mark.skipif(
    not compiled.IS_COMPILED and not os.environ.get("CI"), reason="make compiled: nothing is compiled here"
)


@needs_compiler
def test_they_are_what_runs() -> None:
    from tracing_app.recording import span, stage

    assert {Path(str(module.__file__)).suffix for module in (span, stage)} == {".so"}
    assert otlp_wire.encode_plain is not None


@needs_compiler
@settings(max_examples=60, deadline=None)
@given(traces)
def test_plain_traces_are_the_same_bytes(found: list[TraceData]) -> None:
    found = [*found, request_trace(3)]
    quick = otlp_wire.SpanEncoder(RESOURCE).encode(found)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(otlp_wire, "encode_plain", None)
        assert otlp_wire.SpanEncoder(RESOURCE).encode(found) == quick


@needs_compiler
def test_the_trace_of_a_request_is_a_plain_one() -> None:
    encoder = otlp_wire.SpanEncoder(RESOURCE)
    trace = request_trace()
    for span in trace.spans:
        span.is_plain = True
    assert otlp_wire.encode_plain(trace.spans, trace.trace_id, encoder._common)


@pytest.mark.slow
def test_the_tests_of_recording_and_sampling_hold_uncompiled() -> None:
    uncompiled = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider"),
            *("tests/tracing_app/recording", "tests/tracing_app/sampling", "tests/tracing_app/test_api.py"),
            "tests/tracing_app/test_middleware.py",
        ],
        cwd=ROOT,
        env={**os.environ, "MIZUCHI_COMPILED": "no"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert uncompiled.returncode == 0, uncompiled.stdout[-3000:]


def test_a_changed_source_is_not_what_was_compiled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in compiled.MODULES:
        for source in compiled.sources(module):
            copy = tmp_path / source.relative_to(compiled.ROOT)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(source.read_bytes())
    before = compiled.folder()
    monkeypatch.setattr(compiled, "ROOT", tmp_path)
    assert compiled.folder() == before
    types = tmp_path / "tracing_app" / "recording" / "span.pxd"
    types.write_text(types.read_text() + "\n")
    assert compiled.folder() != before


def test_without_a_compiler_it_is_said_and_no_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CC", "no-such-compiler")
    monkeypatch.setattr(compiling, "folder", lambda: tmp_path / "none")
    assert compiling.main() == 0
    assert "apt install gcc python3-dev" in capsys.readouterr().out
