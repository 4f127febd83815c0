"""Both formats as their specifications have them; promtool and Prometheus itself are asked elsewhere."""

from __future__ import annotations

import pytest

from tests.tracing_app.metrics.metric_samples import KEPT, Samples
from tracing_app.metrics.exposition import (
    EXEMPLAR_SECONDS,
    as_openmetrics,
    as_text,
    prefers_openmetrics,
)
from tracing_app.metrics.readings import Distribution, Exemplar, Readings

NOW = 1_700_000_000.0


@pytest.fixture
def readings(samples: Samples) -> Readings:
    baking = Distribution(3)
    baking.counts, baking.sum = [2, 0, 1], 30.5
    baking.exemplars = {
        0: Exemplar(0.25, KEPT, NOW),
        2: Exemplar(30.0, KEPT, NOW - EXEMPLAR_SECONDS - 1),
    }
    return Readings(
        [
            (samples.cakes, ('with "plums"\\\n',), 3.0),
            (samples.ovens, (), 2.0),
            (samples.baking, ("plum", "200"), baking),
        ]
    )


def test_text(samples: Samples, readings: Readings) -> None:
    assert as_text(samples.all, readings).splitlines() == [
        "# HELP test_cakes_total Cakes.",
        "# TYPE test_cakes_total counter",
        'test_cakes_total{kind="with \\"plums\\"\\\\\\n"} 3.0',
        "# HELP test_ovens Ovens that are on.",
        "# TYPE test_ovens gauge",
        "test_ovens 2.0",
        "# HELP test_heat The hottest.",
        "# TYPE test_heat gauge",
        "# HELP test_baking_seconds Time in the oven.",
        "# TYPE test_baking_seconds histogram",
        'test_baking_seconds_bucket{kind="plum",status="200",le="1.0"} 2',
        'test_baking_seconds_bucket{kind="plum",status="200",le="10.0"} 2',
        'test_baking_seconds_bucket{kind="plum",status="200",le="+Inf"} 3',
        'test_baking_seconds_sum{kind="plum",status="200"} 30.5',
        'test_baking_seconds_count{kind="plum",status="200"} 3',
    ]


def test_openmetrics_has_units_examples_and_an_end(samples: Samples, readings: Readings) -> None:
    lines = as_openmetrics(samples.all, readings, now=NOW).splitlines()
    assert "# TYPE test_cakes counter" in lines
    assert "# UNIT test_baking_seconds seconds" in lines
    buckets = [line.partition("} ")[2] for line in lines if "_bucket" in line]
    assert buckets == [f'2 # {{trace_id="{KEPT}"}} 0.25 1700000000.000', "2", "3"]
    assert lines[-1] == "# EOF"


@pytest.mark.parametrize(
    ("accept", "wanted"),
    [
        ("", False),
        ("*/*", False),
        ("text/html", False),
        ("text/plain", False),
        ("application/openmetrics-text", True),
        ("application/openmetrics-text;q=0", False),
        ("application/openmetrics-text;q=nonsense", False),
        # Prometheus 2 and 3
        (
            "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
            "text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
            True,
        ),
        ("text/plain;version=0.0.4;q=0.9, application/openmetrics-text; q=0.5", False),
    ],
)
def test_the_format_is_the_one_that_is_preferred(accept: str, wanted: bool) -> None:
    assert prefers_openmetrics(accept) is wanted
