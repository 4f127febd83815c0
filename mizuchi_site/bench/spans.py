"""What recording costs: a span and what is on it, a whole request, its encoding; the SDK beside it."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor
from opentelemetry.sdk.trace import TracerProvider as SdkTracerProvider
from opentelemetry.trace import SpanKind, Tracer, set_span_in_context

from tracing_app.exporting.otlp_wire import SpanEncoder
from tracing_app.recording.choices import Always, Choice, Never
from tracing_app.recording.data import TraceData, TraceSink
from tracing_app.recording.provider import LightTracerProvider
from tracing_app.recording.samplers import HeadSampler
from tracing_app.sampling.tail import TailPolicy, TailSampler

from .calls import Call, Many, time_calls
from .report import Table

_ROUNDS, _QUICK_ROUNDS, _WARM_UP = 41, 9, 1
_BATCH = 100
_STEPS = ("auth.sigv4", "upload.put_object", "file.write")
_ATTRIBUTES: Final[Mapping[str, str | int]] = {
    "http.request.method": "PUT",
    "http.response.status_code": 200,
    "aws.s3.bucket": "bench",
    "mizuchi.upload.bytes": 1024,
}


def steps(is_quick: bool) -> int:
    calls = sum(len(calls) for calls in _tables().values())
    return calls * ((_QUICK_ROUNDS if is_quick else _ROUNDS) + _WARM_UP)


def measure(folder: Path, *, is_quick: bool, on_turn: Callable[[], None]) -> list[Table]:
    rounds = _QUICK_ROUNDS if is_quick else _ROUNDS
    return [
        Table(title, time_calls(calls, rounds=rounds, on_turn=on_turn)) for title, calls in _tables().items()
    ]


class _Kept:
    """A sink that keeps traces until they are asked for."""

    def __init__(self) -> None:
        self._traces: list[TraceData] = []

    def offer(self, trace: TraceData) -> None:
        self._traces.append(trace)

    def taken(self) -> list[TraceData]:
        taken, self._traces = self._traces, []
        return taken


class _Nowhere:
    """A sink that forgets."""

    def offer(self, trace: TraceData) -> None:
        pass


class _Finished(SpanProcessor):
    """Keeps what the SDK has finished, until it is asked for."""

    def __init__(self) -> None:
        self.spans: list[ReadableSpan] = []

    def on_end(self, span: ReadableSpan) -> None:
        self.spans.append(span)

    def taken(self) -> list[ReadableSpan]:
        taken, self.spans = self.spans, []
        return taken


def _tables() -> dict[str, dict[str, Call | Many]]:
    return {
        "One call on a span": _single(_tracer(Always(), _Nowhere())),
        "A request of 4 spans with 4 attributes each": _whole(),
    }


def _tracer(choice: Choice, sink: TraceSink, *, tail: bool = True) -> Tracer:
    return LightTracerProvider(HeadSampler(choice, tail=tail), sink).get_tracer("bench")


def _single(tracer: Tracer) -> dict[str, Call | Many]:
    error = ValueError("what went wrong")

    def on_a_new_span(act: Callable[..., object]) -> Call:
        def call() -> None:
            span = tracer.start_span("s", Context())
            act(span)
            span.end()

        return call

    return {
        "span": on_a_new_span(lambda span: None),
        "span, attribute": on_a_new_span(lambda span: span.set_attribute("name", "value")),
        "span, event": on_a_new_span(lambda span: span.add_event("name", {"name": "value"})),
        "span, recorded error": on_a_new_span(lambda span: span.record_exception(error)),
    }


def _whole() -> dict[str, Call | Many]:
    kept = _Kept()
    recorded, encoder = _tracer(Always(), kept), SpanEncoder(Resource.create())
    dropped = _tracer(Never(), TailSampler(TailPolicy(slow_ns=10**9), kept))
    unsampled, forgotten = _tracer(Never(), kept, tail=False), _tracer(Always(), _Nowhere())
    sdk_provider, finished = SdkTracerProvider(), _Finished()
    sdk_provider.add_span_processor(finished)
    sdk = sdk_provider.get_tracer("bench")

    def exported() -> bytes:
        _requests(recorded)
        return gzip.compress(encoder.encode(kept.taken()), 1)

    def sdk_exported() -> bytes:
        _requests(sdk)
        return gzip.compress(encode_spans(finished.taken()).SerializeToString())

    def sdk_recorded() -> None:
        _requests(sdk)
        finished.taken()

    return {
        "unsampled": lambda: record_request(unsampled),
        "held, dropped at the end": lambda: record_request(dropped),
        "kept": lambda: record_request(forgotten),
        "kept, encoded, compressed": Many(exported, _BATCH),
        "SDK: recorded": Many(sdk_recorded, _BATCH),
        "SDK: recorded, encoded, compressed": Many(sdk_exported, _BATCH),
    }


def _requests(tracer: Tracer) -> None:
    for _ in range(_BATCH):
        record_request(tracer)


def record_request(tracer: Tracer) -> None:
    """A root span and three below it."""
    root = tracer.start_span("PUT s3.PutObject", Context(), SpanKind.SERVER, _ATTRIBUTES)
    context = set_span_in_context(root, Context())
    for name in _STEPS:
        tracer.start_span(name, context, attributes=_ATTRIBUTES).end()
    root.end()
