"""Sums and counts as people read them."""

from __future__ import annotations

import pytest

from uploads.statistics.figures import figures_of
from uploads.statistics.latency import bucket_of
from uploads.statistics.totals import Totals


def test_rates_and_shares() -> None:
    figures = figures_of(
        Totals(requests=40, uploads=20, client_errors=6, server_errors=2, bytes_received=6000), 120.0
    )

    assert (figures.requests, figures.uploads, figures.client_errors, figures.server_errors) == (40, 20, 6, 2)
    assert (figures.requests_per_minute, figures.uploads_per_minute) == (20.0, 10.0)
    assert (figures.bytes_received, figures.bytes_per_second) == (6000, 50.0)
    assert (figures.success_share, figures.client_error_share, figures.server_error_share) == (
        0.8,
        0.15,
        0.05,
    )


def test_latencies() -> None:
    latencies = {bucket_of(0.01): 90, bucket_of(0.1): 8, bucket_of(1.0): 2}
    figures = figures_of(Totals(requests=100, latencies=latencies), 60.0)

    assert figures.p50_ms == pytest.approx(10, rel=0.09)
    assert figures.p95_ms == pytest.approx(100, rel=0.09)
    assert figures.p99_ms == pytest.approx(1000, rel=0.09)


def test_who_a_transfer_waited_for() -> None:
    totals = Totals(
        requests=4,
        transfers=4,
        transfer_seconds=2.0,
        receive_wait_seconds=0.8,
        backend_wait_seconds=1.0,
    )
    figures = figures_of(totals, 60.0)

    waits = (figures.receive_wait_ms, figures.backend_wait_ms, figures.gateway_ms)
    assert waits == pytest.approx((200.0, 250.0, 50.0))


def test_nothing_has_no_shares_and_no_quantiles() -> None:
    figures = figures_of(Totals(), 900.0)

    assert figures.requests_per_minute == figures.bytes_per_second == 0.0
    for name in ("success_share", "client_error_share", "server_error_share", "p50_ms", "p99_ms"):
        assert getattr(figures, name) is None
    assert figures.receive_wait_ms is figures.backend_wait_ms is figures.gateway_ms is None
