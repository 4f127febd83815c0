from __future__ import annotations

import io

from opentelemetry.trace import StatusCode

from tests.tracing_app.exporting.otlp_samples import RESOURCE, Span, context, request_trace
from tracing_app.exporting.config import ExportConfig
from tracing_app.exporting.console_transport import ConsoleTransport
from tracing_app.exporting.factory import build_transport, build_worker
from tracing_app.exporting.otlp_wire import SpanEncoder
from tracing_app.exporting.transport import Accepted
from tracing_app.recording.data import TraceData


def test_one_line_for_each_trace() -> None:
    stream = io.StringIO()
    failed = Span(context(3, 9), 8, name="PUT\n\x1b[31m", status_code=StatusCode.ERROR)
    payload = SpanEncoder(RESOURCE).encode([request_trace(7), TraceData(3, [failed])])
    assert ConsoleTransport(stream).send(payload, 1) == Accepted()
    lines = sorted(stream.getvalue().splitlines())
    assert lines == [
        f'trace {3:032x} "PUT\\n\\x1b[31m" 500.0 ms spans=1 errors=1',
        f'trace {7:032x} "PUT s3.PutObject" 500.0 ms spans=4 errors=0',
    ]


def test_without_a_collector_traces_go_to_the_console(capsys: object) -> None:
    assert isinstance(build_transport(None), ConsoleTransport)
    worker = build_worker(ExportConfig(), RESOURCE)
    worker.offer(request_trace(7))
    assert worker.flush(2)
    assert worker.shutdown(1)
    assert f"trace {7:032x}" in capsys.readouterr().err  # type: ignore[attr-defined]
