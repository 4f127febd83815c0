from __future__ import annotations

from tests.tracing_app.exporting.otlp_samples import request_trace, trace_of
from tracing_app.exporting.trace_queue import TraceQueue, weigh
from tracing_app.recording.data import TraceData


def put(queue: TraceQueue, trace: TraceData) -> tuple[int, int]:
    return queue.put(weigh(trace))


def ids(queue: TraceQueue) -> list[int]:
    return [item.content.trace_id for item in queue.take(max_spans=10**9, max_bytes=10**9)]


def test_whole_traces_go_never_spans_of_one() -> None:
    queue = TraceQueue(max_spans=10, max_bytes=10**9)
    for number in range(1, 6):
        put(queue, trace_of(number, 4))
    items = queue.take(max_spans=10**9, max_bytes=10**9)
    assert [(item.content.trace_id, len(item.content.spans)) for item in items] == [(4, 4), (5, 4)]
    assert (queue.spans, queue.bytes, len(queue)) == (0, 0, 0)


def test_what_went_is_told() -> None:
    queue = TraceQueue(max_spans=5, max_bytes=10**9)
    assert put(queue, trace_of(1, 3)) == (0, 0)
    assert put(queue, trace_of(2, 2)) == (0, 0)
    assert put(queue, trace_of(3, 4)) == (2, 5)


def test_errors_are_the_last_to_go() -> None:
    queue = TraceQueue(max_spans=4, max_bytes=10**9)
    for number in range(1, 9):
        put(queue, trace_of(number, is_error=number in (1, 2)))
    assert ids(queue) == [1, 2, 7, 8]


def test_among_errors_the_oldest_go() -> None:
    queue = TraceQueue(max_spans=2, max_bytes=10**9)
    for number in (1, 2, 3):
        put(queue, trace_of(number, is_error=True))
    assert put(queue, trace_of(4)) == (1, 1)
    assert ids(queue) == [2, 3]


def test_long_values_count() -> None:
    queue = TraceQueue(max_spans=10**9, max_bytes=100_000)
    for number in range(50):
        put(queue, trace_of(number, padding=10_000))
    assert len(queue) == 9
    assert queue.bytes <= 100_000


def test_a_trace_larger_than_the_queue_is_itself_what_goes() -> None:
    queue = TraceQueue(max_spans=3, max_bytes=10**9)
    assert put(queue, trace_of(1, 10)) == (1, 10)
    assert ids(queue) == []


def test_a_batch_is_of_whole_traces_and_at_least_one() -> None:
    queue = TraceQueue(max_spans=100, max_bytes=10**9)
    for number, spans in ((1, 3), (2, 3), (3, 20), (4, 1)):
        put(queue, trace_of(number, spans))
    batches = []
    while items := queue.take(max_spans=7, max_bytes=10**9):
        batches.append([item.content.trace_id for item in items])
    assert batches == [[1, 2], [3], [4]]


def test_a_batch_is_bounded_in_bytes() -> None:
    queue = TraceQueue(max_spans=100, max_bytes=10**9)
    for number in range(4):
        put(queue, trace_of(number, padding=1000))
    assert [len(queue.take(max_spans=100, max_bytes=3000)) for _ in range(2)] == [2, 2]


def test_the_weight_is_about_what_is_sent() -> None:
    item = weigh(request_trace())
    assert not item.is_error
    assert item.spans == 4
    assert 1000 < item.size < 5000
