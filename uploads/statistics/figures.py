"""Sums as people read them: rates, shares, quantiles, means."""

from __future__ import annotations

from dataclasses import dataclass

from .latency import quantile
from .totals import Totals


@dataclass(frozen=True, slots=True)
class Figures:
    """What ``Totals`` say of a time. Shares are of all requests, from 0 to 1; times are milliseconds.

    ``p50_ms`` and others are of the requests that stored an object or a part. ``receive_wait_ms``,
    ``backend_wait_ms`` and ``gateway_ms`` add up to the mean time of a transfer: waiting for the client,
    for the storage, and all else. What there is none of is None.
    """

    requests: int
    uploads: int
    client_errors: int
    server_errors: int
    bytes_received: int
    requests_per_minute: float
    uploads_per_minute: float
    bytes_per_second: float
    success_share: float | None
    client_error_share: float | None
    server_error_share: float | None
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None
    transfers: int
    receive_wait_ms: float | None
    backend_wait_ms: float | None
    gateway_ms: float | None


def figures_of(totals: Totals, seconds: float) -> Figures:
    """The figures of what was counted in so many seconds."""
    gateway_seconds = totals.transfer_seconds - totals.receive_wait_seconds - totals.backend_wait_seconds
    return Figures(
        requests=totals.requests,
        uploads=totals.uploads,
        client_errors=totals.client_errors,
        server_errors=totals.server_errors,
        bytes_received=totals.bytes_received,
        requests_per_minute=totals.requests / seconds * 60,
        uploads_per_minute=totals.uploads / seconds * 60,
        bytes_per_second=totals.bytes_received / seconds,
        success_share=_share(totals.successes, totals.requests),
        client_error_share=_share(totals.client_errors, totals.requests),
        server_error_share=_share(totals.server_errors, totals.requests),
        p50_ms=quantile(totals.latencies, 0.50),
        p95_ms=quantile(totals.latencies, 0.95),
        p99_ms=quantile(totals.latencies, 0.99),
        transfers=totals.transfers,
        receive_wait_ms=_share(totals.receive_wait_seconds * 1e3, totals.transfers),
        backend_wait_ms=_share(totals.backend_wait_seconds * 1e3, totals.transfers),
        gateway_ms=_share(max(gateway_seconds, 0.0) * 1e3, totals.transfers),
    )


def _share(part: float, whole: int) -> float | None:
    return part / whole if whole else None
