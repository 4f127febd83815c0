"""Traces in the local store, for what judges them again."""

from __future__ import annotations

from opentelemetry.sdk.resources import Resource

from tests.tracing_app.sampling.traces import trace
from tracing_app.exporting.otlp_wire import SpanEncoder
from tracing_app.sampling.tail import RATE
from tracing_app.store.transport import StoreTransport


def keep_traces(bucket: str, number: int, rate: float = 1.0) -> None:
    """So many uploads to a bucket, each standing for ``rate``."""
    attributes = {"aws.s3.bucket": bucket, "rpc.method": "S3/PutObject", RATE: rate}
    traces = [trace(attributes, trace_id=each + 1) for each in range(number)]
    StoreTransport(max_traces=1000, max_age_hours=1e6).send(SpanEncoder(Resource({})).encode(traces), 1)
