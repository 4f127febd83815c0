"""The benchmarks' collector, asked by the real transport: it tells what came, is slow, is gone, is back."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from mizuchi_site.bench.collector import Collector, running_collector
from tests.tracing_app.exporting.otlp_samples import request_trace
from tracing_app.exporting.config import OtlpConfig
from tracing_app.exporting.http_transport import HttpTransport
from tracing_app.exporting.otlp_wire import SpanEncoder
from tracing_app.exporting.transport import Accepted, Outcome, Retryable


@pytest.fixture
def collector() -> Iterator[Collector]:
    with running_collector(is_keeping=True) as collector:
        yield collector


def send(collector: Collector, seconds: float = 10) -> Outcome:
    from opentelemetry.sdk.resources import Resource

    transport = HttpTransport(OtlpConfig(collector.endpoint, "http/protobuf"))
    try:
        return transport.send(SpanEncoder(Resource({})).encode([request_trace(1)]), seconds)
    finally:
        transport.close()


def test_it_tells_once_what_came_and_when(collector: Collector) -> None:
    began = time.time_ns()
    assert send(collector) == Accepted()
    (receipt,) = collector.taken()
    assert began < receipt.at_ns < time.time_ns()
    assert len(list(receipt.spans)) == len(request_trace(1).spans)
    assert collector.taken() == []


def test_a_slow_one_answers_later(collector: Collector) -> None:
    collector.be_slow(0.5)
    began = time.monotonic()
    assert send(collector) == Accepted()
    assert time.monotonic() - began >= 0.5
    assert isinstance(send(collector, 0.1), Retryable)


def test_one_that_is_gone_refuses_and_is_back_at_the_same_address_with_what_it_had(
    collector: Collector,
) -> None:
    send(collector)
    collector.go()
    assert isinstance(refused := send(collector), Retryable)
    assert "refuses" in refused.reason
    collector.come()
    send(collector)
    assert len(collector.taken()) == 2


def test_one_that_keeps_nothing_tells_nothing() -> None:
    with running_collector() as collector:
        assert send(collector) == Accepted()
        assert collector.taken() == []
