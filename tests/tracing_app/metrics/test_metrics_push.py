"""A real collector gets the numbers that ``/metrics`` shows; one that is away does no harm."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import pytest
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric

from tests.servers.otlp_receiver import OtlpReceiver, otlp_receiver, refused_port
from tests.tracing_app.exporting.export_setup import until
from tests.tracing_app.metrics.metric_samples import KEPT, Samples, source
from tracing_app.exporting.config import OtlpConfig
from tracing_app.exporting.factory import build_transport
from tracing_app.exporting.signal import METRICS
from tracing_app.metrics.families import note_in
from tracing_app.metrics.meter import Meter
from tracing_app.metrics.noted import NotedMetrics
from tracing_app.metrics.push import LAST_SECONDS, PUSHES, MetricsPush
from tracing_app.metrics.readings import Distribution, Exemplar, Readings

Protocol = Literal["grpc", "http/protobuf"]


@pytest.fixture(params=["grpc", "http/protobuf"])
def receiver(request: pytest.FixtureRequest) -> Iterator[OtlpReceiver]:
    with otlp_receiver(request.param) as running:
        yield running


@contextmanager
def pushing(
    samples: Samples, endpoint: str, protocol: Protocol, every_seconds: float = 60.0
) -> Iterator[MetricsPush]:
    baking = Distribution(3)
    baking.counts, baking.sum, baking.exemplars = [2, 0, 1], 30.5, {2: Exemplar(30.0, KEPT, 7.0)}
    meter = Meter(
        [
            source(
                (samples.cakes, ("plum",), 3.0),
                (samples.ovens, (), 2.0),
                (samples.baking, ("", "200"), baking),
            )
        ],
        wall_clock=lambda: 5.0,
    )
    transport = build_transport(OtlpConfig(endpoint, protocol), METRICS)
    yield MetricsPush(
        meter,
        transport,
        {"service.name": "gateway", "process.count": 2},
        every_seconds=every_seconds,
        timeout_seconds=3.0,
        wall_clock=lambda: 9.0,
    )
    transport.close()


def test_a_collector_gets_what_was_counted(samples: Samples, receiver: OtlpReceiver) -> None:
    with pushing(samples, receiver.endpoint, receiver.protocol) as push:
        push.push(3.0)
    (request,) = receiver.metric_requests
    (of_node,) = request.resource_metrics
    told = {each.key: each.value for each in of_node.resource.attributes}
    assert (told["service.name"].string_value, told["process.count"].int_value) == ("gateway", 2)
    metrics: dict[str, Metric] = {metric.name: metric for metric in of_node.scope_metrics[0].metrics}

    (cakes,) = metrics["test.cakes"].sum.data_points
    assert (cakes.as_double, cakes.start_time_unix_nano, cakes.time_unix_nano) == (3.0, 5 * 10**9, 9 * 10**9)
    assert metrics["test.cakes"].sum.is_monotonic
    assert [point.as_double for point in metrics["test.ovens"].gauge.data_points] == [2.0]

    (baking,) = metrics["test.baking.time"].histogram.data_points
    assert (baking.count, baking.sum, list(baking.bucket_counts)) == (3, 30.5, [2, 0, 1])
    assert list(baking.explicit_bounds) == [1.0, 10.0]
    assert metrics["test.baking.time"].unit == "s"
    assert [example.trace_id.hex() for example in baking.exemplars] == [KEPT]
    attributes = {each.key: each.value for each in baking.attributes}
    assert attributes["http.status"].int_value == 200
    assert attributes["shop"].string_value == "here"
    assert "cake.kind" not in attributes  # it is empty
    assert not baking.HasField("min")


def test_they_are_sent_every_so_often_and_at_the_end(samples: Samples) -> None:
    with otlp_receiver("http/protobuf") as receiver:
        with pushing(samples, receiver.endpoint, "http/protobuf", every_seconds=0.05) as push:
            push.start()
            until(lambda: len(receiver.metric_requests) >= 2)
            push.stop()
        assert receiver.paths[-1] == "/v1/metrics"

        before = len(receiver.metric_requests)
        with pushing(samples, receiver.endpoint, "http/protobuf") as last:
            last.start()
            last.stop()
        assert len(receiver.metric_requests) == before + 1


def test_a_collector_that_is_away_is_told_of_once_and_keeps_nobody(
    samples: Samples, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "mizuchi.tracing.metrics")
    with (
        refused_port() as port,
        pushing(samples, f"http://127.0.0.1:{port}", "http/protobuf", every_seconds=0.02) as push,
    ):
        failures = NotedMetrics(set)
        note_in(failures.notes, lambda: "")
        push.start()
        until(lambda: len(failures.notes) >= 3)
        began = time.monotonic()
        push.stop()
    assert time.monotonic() - began < LAST_SECONDS + 0.5
    (told,) = caplog.records
    assert "refuses connections" in told.getMessage()
    assert set(Readings(failures.collect()).of(PUSHES)) == {("failure",)}
