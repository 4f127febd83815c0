"""Traces kept on this machine: saved as they were exported, found again, and never too many."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from opentelemetry.sdk.resources import Resource
from opentelemetry.trace import SpanKind, Status, StatusCode, set_span_in_context

from tests.tracing_app.sampling.traces import Sink
from tracing_app.exporting.otlp_wire import SpanEncoder
from tracing_app.exporting.transport import Accepted, Permanent, Retryable
from tracing_app.recording.choices import Always
from tracing_app.recording.provider import LightTracerProvider
from tracing_app.recording.samplers import HeadSampler
from tracing_app.store.models import StoredTrace
from tracing_app.store.rows import attributes_of, read_spans
from tracing_app.store.transport import StoreTransport, prune

pytestmark = pytest.mark.django_db(databases=["traces"])

RESOURCE = Resource({"service.name": "mizuchi-test"})
BEGAN = 1_800_000_000_000_000_000


@pytest.fixture
def sink() -> Sink:
    return Sink()


@pytest.fixture
def tracer(sink: Sink) -> Any:
    return LightTracerProvider(HeadSampler(Always(), tail=False), sink).get_tracer("tests", "1")


def payload(sink: Sink) -> bytes:
    return SpanEncoder(RESOURCE).encode(sink.traces)


def upload(tracer: Any, *, part: int = 0, parent: Any = None, began: int = BEGAN) -> Any:
    root = tracer.start_span(
        "PUT s3.UploadPart",
        parent,
        kind=SpanKind.SERVER,
        start_time=began,
        attributes={
            "rpc.method": "S3/UploadPart",
            "aws.s3.bucket": "uploads",
            "aws.s3.key": "in/abc",
            "http.response.status_code": 503,
            "mizuchi.sampling.reason": "rule",
            "mizuchi.sampling.rule": "parts",
            "mizuchi.sampling.rate": 4.0,
        },
    )
    child = tracer.start_span(
        "upload.part",
        set_span_in_context(root),
        start_time=began + 1,
        attributes={
            "mizuchi.upload.bytes": 7,
            "mizuchi.upload.receive_wait_ms": 1.5,
            "mizuchi.upload.backend_wait_ms": 2,
            "aws.s3.upload_id": "f00",
            "aws.s3.part_number": part,
            "user.hash": "abc",
            "error.type": "ServiceUnavailable",
        },
    )
    child.set_status(Status(StatusCode.ERROR))
    child.end(began + 2)
    root.end(began + 5_000_000)
    return root


@pytest.mark.parametrize(("mark", "rate"), [(None, 1.0), (0.0, 0.0), (1, 1.0), (100.0, 100.0)])
def test_a_trace_stands_for_as_many_as_its_mark_says(
    tracer: Any, sink: Sink, mark: float | None, rate: float
) -> None:
    attributes = {} if mark is None else {"mizuchi.sampling.rate": mark}
    tracer.start_span("PUT", kind=SpanKind.SERVER, attributes=attributes, start_time=BEGAN).end(BEGAN + 1)

    assert StoreTransport(max_traces=10, max_age_hours=1e6).send(payload(sink), 1) == Accepted()

    assert StoredTrace.objects.get().rate == rate


def test_a_trace_is_saved_with_what_it_is_searched_by(tracer: Any, sink: Sink) -> None:
    root = upload(tracer)

    assert StoreTransport(max_traces=10, max_age_hours=1e6).send(payload(sink), 1) == Accepted()

    row = StoredTrace.objects.get()
    assert row.trace_id == f"{root.get_span_context().trace_id:032x}"
    assert (row.operation, row.bucket, row.key, row.status) == ("UploadPart", "uploads", "in/abc", 503)
    assert (row.error, row.is_error, row.bytes) == ("ServiceUnavailable", True, 7)
    assert (row.receive_wait_ms, row.backend_wait_ms, row.duration_ms) == (1.5, 2.0, 5.0)
    assert (row.upload_hash, row.principal_hash) == ("f00", "abc")
    assert (row.reason, row.rule, row.rate) == ("rule", "parts", 4.0)
    assert (row.is_late, row.span_count) == (False, 2)
    assert row.started_at.timestamp() == BEGAN / 1e9
    (resource,) = read_spans(row).resource_spans
    assert resource.resource.attributes[0].value.string_value == "mizuchi-test"
    (scope,) = resource.scope_spans
    assert (scope.scope.name, scope.scope.version) == ("tests", "1")
    assert [span.name for span in scope.spans] == ["upload.part", "PUT s3.UploadPart"]
    assert attributes_of(scope.spans[0])["aws.s3.part_number"] == 0


def test_requests_of_one_trace_are_rows_of_their_own(tracer: Any, sink: Sink) -> None:
    from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags

    remote = SpanContext(7, 8, is_remote=True, trace_flags=TraceFlags(1))
    for part in (1, 2):
        upload(tracer, part=part, parent=set_span_in_context(NonRecordingSpan(remote)))

    StoreTransport(max_traces=10, max_age_hours=1e6).send(payload(sink), 1)

    rows = StoredTrace.objects.all()
    assert [row.trace_id for row in rows] == [f"{7:032x}"] * 2
    assert [row.span_count for row in rows] == [2, 2]


def test_a_late_span_is_a_row_that_says_so(tracer: Any, sink: Sink) -> None:
    root = upload(tracer)
    tracer.start_span("late", set_span_in_context(root)).end()
    store = StoreTransport(max_traces=10, max_age_hours=1e6)

    late, sink.traces = sink.traces[1:], sink.traces[:1]
    store.send(payload(sink), 1)
    sink.traces = late
    store.send(payload(sink), 1)

    assert [(row.name, row.is_late) for row in StoredTrace.objects.order_by("id")] == [
        ("PUT s3.UploadPart", False),
        ("late", True),
    ]


@pytest.mark.parametrize(
    ("root", "status", "error"),
    [
        ("ServiceUnavailable", 503, "ServiceUnavailable"),
        (None, 503, "EngineTimeout"),
        (None, 200, ""),
        (None, None, "EngineTimeout"),
    ],
)
def test_the_error_is_that_of_the_answer(
    tracer: Any, sink: Sink, root: str | None, status: int | None, error: str
) -> None:
    """What failed inside counts when the root does not say, but not for a request that went well."""
    answered = {"error.type": root, "http.response.status_code": status}
    request = tracer.start_span(
        "PUT s3.PutObject", attributes={name: value for name, value in answered.items() if value is not None}
    )
    tracer.start_span(
        "authz.opa", set_span_in_context(request), attributes={"error.type": "EngineTimeout"}
    ).end()
    request.end()

    StoreTransport(max_traces=10, max_age_hours=1e6).send(payload(sink), 1)

    assert StoredTrace.objects.get().error == error


def test_text_that_postgresql_does_not_take_is_shown_as_such(tracer: Any, sink: Sink) -> None:
    """NUL. With ``tracing.redaction.keys: full`` a key is as its client wrote it."""
    tracer.start_span("PUT\0", attributes={"aws.s3.key": "a\0b"}).end()

    StoreTransport(max_traces=10, max_age_hours=1e6).send(payload(sink), 1)

    row = StoredTrace.objects.get()
    assert (row.name, row.key) == ("PUT\N{REPLACEMENT CHARACTER}", "a\N{REPLACEMENT CHARACTER}b")


def test_what_is_no_trace_is_refused() -> None:
    assert isinstance(StoreTransport(max_traces=1, max_age_hours=1).send(b"\xff\xff", 1), Permanent)


def test_the_oldest_go_when_there_are_too_many(tracer: Any, sink: Sink) -> None:
    for number in range(1205):
        upload(tracer, began=BEGAN + number)
    StoreTransport(max_traces=10_000, max_age_hours=1e6).send(payload(sink), 1)

    assert prune(100, timedelta(days=36_500)) == 1105

    kept = StoredTrace.objects.order_by("id").values_list("id", flat=True)
    assert len(kept) == 100
    newest = StoredTrace.objects.latest("id").id
    assert list(kept) == list(range(newest - 99, newest + 1))
    assert prune(100, timedelta(days=36_500)) == 0


def test_the_old_go(tracer: Any, sink: Sink) -> None:
    now = int(timezone.now().timestamp() * 1e9)
    for hours in (5, 4, 2, 1):
        upload(tracer, began=now - hours * 3600 * 10**9)
    StoreTransport(max_traces=10, max_age_hours=1e6).send(payload(sink), 1)

    assert prune(10, timedelta(hours=3)) == 2
    assert StoredTrace.objects.count() == 2


def test_the_transport_prunes_by_itself(tracer: Any, sink: Sink) -> None:
    for _ in range(5):
        upload(tracer)

    StoreTransport(max_traces=3, max_age_hours=1e6).send(payload(sink), 1)

    assert StoredTrace.objects.count() == 3


@pytest.fixture
def nothing_can_be_removed() -> Iterator[None]:
    from django.db import connections

    with connections["traces"].cursor() as cursor:
        cursor.execute(
            "CREATE TRIGGER kept BEFORE DELETE ON trace_store_storedtrace "
            "BEGIN SELECT RAISE(ABORT, 'nothing may be removed'); END"
        )
        yield
        cursor.execute("DROP TRIGGER kept")


@pytest.mark.django_db(databases=["traces"], transaction=True)
@pytest.mark.usefixtures("nothing_can_be_removed")
def test_what_is_saved_is_not_sent_again_because_old_ones_stay(tracer: Any, sink: Sink) -> None:
    for _ in range(3):
        upload(tracer)

    assert StoreTransport(max_traces=1, max_age_hours=1e6).send(payload(sink), 1) == Accepted()

    assert StoredTrace.objects.count() == 3


@pytest.fixture
def no_table() -> Iterator[None]:
    from django.db import connections

    with connections["traces"].schema_editor() as editor:
        editor.delete_model(StoredTrace)
    yield
    with connections["traces"].schema_editor() as editor:
        editor.create_model(StoredTrace)


@pytest.mark.django_db(databases=["traces"], transaction=True)
@pytest.mark.usefixtures("no_table")
def test_a_store_that_cannot_be_written_is_tried_again(tracer: Any, sink: Sink) -> None:
    upload(tracer)

    outcome = StoreTransport(max_traces=10, max_age_hours=1).send(payload(sink), 1)

    assert isinstance(outcome, Retryable)
