"""The same numbers in OTLP. Sources: opentelemetry-proto ``metrics/v1/metrics.proto``; OpenTelemetry
specification, "Metrics Data Model", for cumulative sums and exemplars."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope, KeyValue
from opentelemetry.proto.metrics.v1.metrics_pb2 import (
    AggregationTemporality,
    HistogramDataPoint,
    Metric,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
)
from opentelemetry.proto.metrics.v1.metrics_pb2 import Exemplar as ProtoExemplar
from opentelemetry.proto.resource.v1.resource_pb2 import Resource as ProtoResource

from tracing_app.version import VERSION

from .families import Family, Labels, Unit
from .meter import Total
from .readings import Distribution, Exemplar, Value

Attributes = Mapping[str, str | int]

_UNITS: Final[Mapping[Unit, str]] = {"": "1", "seconds": "s", "bytes": "By"}
_CUMULATIVE: Final = AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE


def encode_total(
    total: Total, families: Iterable[Family], resource: Mapping[str, object], *, now: float
) -> bytes:
    """An ``ExportMetricsServiceRequest``, encoded: what was counted until ``now`` (Unix time)."""
    metrics = [
        _metric(family, series, began_ns=int(total.began_at * 1e9), now_ns=int(now * 1e9))
        for family in families
        if (series := total.readings.of(family))
    ]
    scope = InstrumentationScope(name="mizuchi", version=VERSION)
    resource_metrics = ResourceMetrics(
        resource=ProtoResource(
            attributes=_key_values({name: _plain(value) for name, value in resource.items()})
        ),
        scope_metrics=[ScopeMetrics(scope=scope, metrics=metrics)],
    )
    encoded: bytes = ExportMetricsServiceRequest(resource_metrics=[resource_metrics]).SerializeToString()
    return encoded


def _metric(family: Family, series: Mapping[Labels, Value], *, began_ns: int, now_ns: int) -> Metric:
    metric = Metric(name=family.otlp, description=family.description, unit=_UNITS[family.unit])
    if family.kind == "counter":
        metric.sum.is_monotonic = True
        metric.sum.aggregation_temporality = _CUMULATIVE
    elif family.kind == "histogram":
        metric.histogram.aggregation_temporality = _CUMULATIVE
    for labels, value in series.items():
        point: NumberDataPoint | HistogramDataPoint
        if isinstance(value, Distribution):
            point = metric.histogram.data_points.add()
            point.CopyFrom(_distribution(family, value))
        else:
            points = metric.sum.data_points if family.kind == "counter" else metric.gauge.data_points
            point = points.add(as_double=value)
        point.attributes.extend(_key_values(_attributes(family, labels)))
        point.time_unix_nano = now_ns
        point.start_time_unix_nano = 0 if family.kind == "gauge" else began_ns
    return metric


def _distribution(family: Family, value: Distribution) -> HistogramDataPoint:
    return HistogramDataPoint(
        count=sum(value.counts),
        sum=value.sum,
        bucket_counts=value.counts,
        explicit_bounds=family.bounds,
        exemplars=[_example(exemplar) for exemplar in value.exemplars.values()],
    )


def _example(exemplar: Exemplar) -> ProtoExemplar:
    return ProtoExemplar(
        as_double=exemplar.value,
        time_unix_nano=int(exemplar.at * 1e9),
        trace_id=bytes.fromhex(exemplar.trace_id),
    )


def _attributes(family: Family, labels: Labels) -> Attributes:
    """A label that is empty says nothing: there is no attribute of it."""
    told: dict[str, str | int] = dict(family.constants)
    for label, value in zip(family.labels, labels, strict=True):
        if value:
            told[label.attribute] = int(value) if label.is_number else value
    return told


def _plain(value: object) -> str | int:
    return value if isinstance(value, int) else str(value)


def _key_values(attributes: Attributes) -> list[KeyValue]:
    return [
        KeyValue(
            key=name,
            value=AnyValue(int_value=value) if isinstance(value, int) else AnyValue(string_value=value),
        )
        for name, value in attributes.items()
    ]
