"""A gateway whose traces arrive at a receiver of the tests, and how to find them there."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import boto3
from botocore.config import Config
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.e2e.gateway import Gateway
from tests.servers.otlp_receiver import OtlpReceiver


class Traced:
    def __init__(self, gateway: Gateway, receiver: OtlpReceiver) -> None:
        self.gateway = gateway
        self.receiver = receiver

    def client(self, secret: str | None = None) -> Any:
        return boto3.client(
            "s3",
            endpoint_url=self.gateway.endpoint,
            aws_access_key_id=self.gateway.access_key_id,
            aws_secret_access_key=secret or self.gateway.secret_access_key,
            region_name="us-east-1",
            config=Config(
                signature_version="s3v4",
                retries={"total_max_attempts": 1},
                s3={"addressing_style": "path"},
            ),
        )

    def trace(self, trace_id: str) -> dict[str, Span]:
        """The spans of a trace by name, once its root has arrived."""
        return {span.name: span for span in self._until(lambda: self._spans(trace_id))}

    def span(self, trace_id: str, name: str) -> Span:
        """The span of that name, once it has arrived."""
        found = self._until(lambda: self._with(trace_id, name))
        return next(span for span in found if span.name == name)

    def names(self, trace_id: str, *, until: str) -> list[str]:
        """The names of a trace's spans, once one of that name has arrived."""
        found = self._until(lambda: self._with(trace_id, until))
        return [span.name for span in found]

    def _with(self, trace_id: str, name: str) -> list[Span]:
        found = self._spans(trace_id)
        return found if any(span.name == name for span in found) else []

    def _spans(self, trace_id: str) -> list[Span]:
        return [span for span in self.receiver.spans() if span.trace_id.hex() == trace_id]

    def _until(self, find: Callable[[], list[Span]]) -> list[Span]:
        deadline = time.monotonic() + 10
        while not (found := find()):
            assert time.monotonic() < deadline, "the trace has not arrived"
            time.sleep(0.05)
        return found


def request_id(answer: Any) -> str:
    headers: dict[str, str] = answer["ResponseMetadata"]["HTTPHeaders"]
    return headers["x-amz-request-id"]


def attributes(span: Span) -> dict[str, Any]:
    values = {}
    for each in span.attributes:
        kind = each.value.WhichOneof("value")
        values[each.key] = getattr(each.value, kind)
    return values
