"""The requests of a trace, and those of a plot, without their spans."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext

from tests.tracing_app.store.recorded import BEGAN, Recorded
from tracing_app.store.requests import LatencyPoint, latency_points, requests_of
from tracing_app.store.search import TraceQuery

pytestmark = pytest.mark.django_db(databases=["traces"])

JOINED = "0af7651916cd43dd8448eb211c80319c"


def test_the_requests_of_a_trace_in_the_order_of_time() -> None:
    recorded = Recorded()
    recorded.request("UploadPart", trace_id=JOINED, at=20)
    recorded.request("CreateMultipartUpload", trace_id=JOINED)
    recorded.request("PutObject", at=10)
    recorded.save()

    assert [row.operation for row in requests_of(JOINED.upper())] == ["CreateMultipartUpload", "UploadPart"]
    assert requests_of("f" * 32) == []


def test_points_of_the_newest() -> None:
    recorded = Recorded()
    recorded.request("PutObject", "one", at=0)
    failed = recorded.request("PutObject", "one", at=1, milliseconds=20, status=503, error="SlowDown")
    refused = recorded.request("HeadObject", "two", at=2, status=403, error="AccessDenied")
    recorded.save()

    with CaptureQueriesContext(connections["traces"]) as queries:
        points = latency_points(TraceQuery(), newest=2)

    assert [(point.trace_id, point.outcome, point.error) for point in points] == [
        (refused, "refused", "AccessDenied"),
        (failed, "error", "SlowDown"),
    ]
    began = datetime.fromtimestamp(BEGAN / 1e9, UTC)
    assert points[1].started_at.replace(microsecond=0) == began
    assert (points[1].duration_ms, points[1].operation, points[1].bucket) == (20, "PutObject", "one")
    assert isinstance(points[0], LatencyPoint)
    (query,) = queries.captured_queries
    assert '"spans"' not in query["sql"]
    assert [point.bucket for point in latency_points(TraceQuery(bucket="two"), newest=10)] == ["two"]


@pytest.mark.parametrize(
    ("query", "index"),
    [
        (TraceQuery(), "started_at"),
        (TraceQuery(bucket="one"), "started_at"),
        (TraceQuery(trace_id=JOINED), "trace_id"),
        (TraceQuery(upload_hash="f00"), "upload_hash"),
    ],
    ids=["all", "a bucket", "a trace", "an upload"],
)
def test_no_list_reads_more_than_it_must(query: TraceQuery, index: str) -> None:
    """The newest are read from an index in the order of time, and a trace or an upload is found by one."""
    from tracing_app.store.search import find_traces

    plan = find_traces(query)[:100].explain()

    assert f"USING INDEX trace_store_storedtrace_{index}" in plan, plan
