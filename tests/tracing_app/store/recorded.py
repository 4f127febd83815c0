"""Traces recorded for real and encoded as for a collector, as the store gets them."""

from __future__ import annotations

from opentelemetry.sdk.resources import Resource
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    set_span_in_context,
)

from tests.tracing_app.sampling.traces import Sink
from tracing_app.exporting.otlp_wire import SpanEncoder
from tracing_app.exporting.transport import Outcome
from tracing_app.recording.choices import Always
from tracing_app.recording.provider import LightTracerProvider
from tracing_app.recording.samplers import HeadSampler
from tracing_app.store.transport import StoreTransport

MS = 1_000_000
BEGAN = 1_800_000_000_000 * MS


class Recorded:
    """Requests that are over, and ``save`` to put them into the store."""

    def __init__(self) -> None:
        self.sink = Sink()
        provider = LightTracerProvider(HeadSampler(Always(), tail=False), self.sink)
        self.tracer = provider.get_tracer("tests")

    def request(
        self,
        operation: str,
        bucket: str = "uploads",
        *,
        milliseconds: int = 10,
        at: int = 0,
        status: int = 200,
        error: str = "",
        upload: str = "",
        principal: str = "",
        trace_id: str = "",
        began: int = BEGAN,
    ) -> str:
        """A root and the upload's span in it, ``at`` milliseconds after ``began``. Returns the trace id."""
        parent = None
        if trace_id:
            remote = SpanContext(int(trace_id, 16), 8, is_remote=True, trace_flags=TraceFlags(1))
            parent = set_span_in_context(NonRecordingSpan(remote))
        began += at * MS
        root = self.tracer.start_span(f"PUT s3.{operation}", parent, SpanKind.SERVER, start_time=began)
        root.set_attributes(
            {
                "rpc.method": f"S3/{operation}",
                "aws.s3.bucket": bucket,
                "aws.s3.key": "in/abc",
                "http.response.status_code": status,
            }
        )
        work = self.tracer.start_span("upload.work", set_span_in_context(root), start_time=began + 2 * MS)
        if upload:
            work.set_attribute("aws.s3.upload_id", upload)
        if principal:
            work.set_attribute("user.hash", principal)
        if error:
            work.set_attribute("error.type", error)
        if status >= 500:
            work.set_status(Status(StatusCode.ERROR))
        work.add_event("body.verified", timestamp=began + 3 * MS)
        work.end(began + milliseconds * MS)
        root.end(began + milliseconds * MS)
        return f"{root.get_span_context().trace_id:032x}"

    def save(self, *, max_traces: int = 1000, max_age_hours: float = 1e6) -> Outcome:
        """Save what was recorded since the last time, with a transport of its own."""
        return StoreTransport(max_traces=max_traces, max_age_hours=max_age_hours).send(self.payload(), 1)

    def payload(self) -> bytes:
        """What was recorded since the last time."""
        traces, self.sink.traces = self.sink.traces, []
        return SpanEncoder(Resource({"service.name": "mizuchi-test"})).encode(traces)
