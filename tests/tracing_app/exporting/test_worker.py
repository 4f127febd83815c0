"""The worker alone: batches, deadlines, what is lost and counted, one line for each change of state."""

from __future__ import annotations

import fcntl
import logging
import os
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.servers.otlp_receiver import Redirect, otlp_receiver
from tests.tracing_app.exporting.export_setup import (
    Scripted,
    assert_nothing_unaccounted,
    quick,
    real_worker,
    scripted_worker,
    towards,
    until,
)
from tests.tracing_app.exporting.otlp_samples import RESOURCE, Span, context, request_trace, trace_of
from tracing_app.exporting.config import SpoolConfig
from tracing_app.exporting.otlp_wire import SpanEncoder
from tracing_app.exporting.transport import Accepted, Outcome, Permanent, Retryable
from tracing_app.recording.data import TraceData

AWAY = Retryable("away")


def spans_of(payload: bytes) -> int:
    (resource,) = ExportTraceServiceRequest.FromString(payload).resource_spans
    return sum(len(scope.spans) for scope in resource.scope_spans)


def trace_number(payload: bytes) -> int:
    (resource,) = ExportTraceServiceRequest.FromString(payload).resource_spans
    return int.from_bytes(resource.scope_spans[0].spans[0].trace_id, "big")


def test_a_full_batch_goes_at_once_and_traces_stay_whole() -> None:
    transport = Scripted()
    worker = scripted_worker(quick(batch=10, delay=60), transport)
    for number in range(1, 4):
        worker.offer(trace_of(number, 4))
    until(lambda: len(transport.payloads) == 1)
    assert worker.flush(2)
    assert [spans_of(payload) for payload in transport.payloads] == [8, 4]
    assert assert_nothing_unaccounted(worker).traces_exported == 3
    assert worker.shutdown(2)


def test_what_does_not_fill_a_batch_goes_after_the_delay() -> None:
    transport = Scripted()
    worker = scripted_worker(quick(delay=0.1), transport)
    began = time.monotonic()
    worker.offer(trace_of(1))
    until(lambda: worker.stats().spans_exported == 1)
    assert 0.05 < time.monotonic() - began < 1
    assert worker.shutdown(2)


def test_no_thread_before_the_first_trace() -> None:
    before = threading.active_count()
    worker = scripted_worker(quick(), Scripted())
    assert threading.active_count() == before
    assert worker.flush(1)
    assert worker.shutdown(1)
    worker.offer(trace_of(1))
    assert assert_nothing_unaccounted(worker).spans_dropped == {"closed": 1}


def test_an_offer_waits_for_nobody() -> None:
    transport = Scripted()
    transport.hold.clear()
    worker = scripted_worker(quick(batch=1, queue=10**6, delay=60), transport)
    for number in range(500):  # the first is on its way to a collector that does not answer
        worker.offer(trace_of(number + 1))
    stats = worker.stats()
    assert (stats.traces_offered, stats.spans_exported) == (500, 0)
    transport.hold.set()
    worker.shutdown(30)
    assert worker.stats().spans_exported == 500


def test_what_is_queued_is_bytes_and_its_size_is_theirs() -> None:
    encoder = SpanEncoder(RESOURCE)
    item = encoder.prepare(request_trace())
    ((_, spans),) = item.content
    assert (item.spans, item.is_error) == (4, False)
    assert spans in encoder.encode([item.content])
    assert len(spans) < item.size < len(spans) + 500
    assert encoder.encode([item.content]) == encoder.encode([request_trace()])


def test_a_transient_failure_is_tried_again_and_nothing_is_lost() -> None:
    transport = Scripted(AWAY, AWAY, Accepted())
    worker = scripted_worker(quick(failures=10, retry=5), transport)
    worker.offer(trace_of(1, 3))
    until(lambda: worker.stats().spans_exported == 3)
    stats = assert_nothing_unaccounted(worker)
    assert (stats.retries, stats.state, stats.last_error) == (2, "healthy", "away")
    assert len(set(transport.payloads)) == 1
    assert worker.shutdown(1)


def test_tries_are_bounded_by_their_total(tmp_path: Path) -> None:
    transport = Scripted(AWAY)
    worker = scripted_worker(quick(spool=tmp_path, failures=1000, retry=0.5, delay=60), transport)
    worker.offer(trace_of(1, 8))
    until(lambda: worker.stats().spool.spans == 8)
    assert 0.2 < transport.moments[-1] - transport.moments[0] < 0.7
    assert_nothing_unaccounted(worker)
    assert worker.shutdown(1)


def test_waits_grow_with_full_jitter() -> None:
    waits = []
    transport = Scripted(*[AWAY] * 5, Accepted())
    config = quick(failures=100, retry=60)
    worker = scripted_worker(config, transport)
    worker._path.delivery._random = lambda: 0.5
    pause = worker.pause
    worker.pause = lambda seconds: waits.append(seconds) or pause(0)  # type: ignore[method-assign,func-returns-value]
    worker.offer(trace_of(1))
    until(lambda: worker.stats().spans_exported == 1)
    assert waits == [0.01, 0.02, 0.04, 0.05, 0.05]
    assert worker.shutdown(1)


def test_the_collector_s_own_time_is_kept(tmp_path: Path) -> None:
    transport = Scripted(Retryable("slow down", 0.4), Accepted())
    worker = scripted_worker(quick(spool=tmp_path, retry=0.1), transport)
    worker.offer(trace_of(1, 8))
    until(lambda: worker.stats().spool.files == 1)
    worker.offer(trace_of(2, 8))
    until(lambda: worker.stats().spans_exported == 16)
    assert transport.moments[1] - transport.moments[0] >= 0.39
    assert_nothing_unaccounted(worker)
    assert worker.shutdown(1)


def test_an_open_breaker_sends_straight_to_the_spool(tmp_path: Path) -> None:
    transport = Scripted(AWAY)
    worker = scripted_worker(quick(spool=tmp_path, failures=2, reset=60), transport)
    for number in range(1, 40):
        worker.offer(trace_of(number, 8))
    until(lambda: worker.stats().spool.traces == 39)
    assert len(transport.payloads) == 2
    stats = assert_nothing_unaccounted(worker)
    assert (stats.breaker, stats.state) == ("open", "spooling")
    assert time.time() - stats.breaker_since < 5
    assert worker.shutdown(1)


def test_half_open_one_request_decides(tmp_path: Path) -> None:
    transport = Scripted(AWAY, AWAY, AWAY, Accepted())
    worker = scripted_worker(quick(spool=tmp_path, failures=2, reset=0.3), transport)
    for number in range(1, 10):
        worker.offer(trace_of(number, 8))
    until(lambda: worker.stats().spans_exported == 72)
    gaps = [b - a for a, b in zip(transport.moments, transport.moments[1:], strict=False)]
    assert gaps[1] > 0.25
    assert gaps[2] > 0.25
    stats = assert_nothing_unaccounted(worker)
    assert (stats.breaker, stats.spool.files) == ("closed", 0)
    assert worker.shutdown(1)


def test_the_spool_is_replayed_oldest_first_beside_live_traffic(tmp_path: Path) -> None:
    transport = Scripted(AWAY)
    worker = scripted_worker(quick(spool=tmp_path, failures=1, reset=0.2), transport)
    for number in range(1, 31):
        worker.offer(trace_of(number, 8))
    until(lambda: worker.stats().spool.traces == 30)
    transport.payloads.clear()
    transport.outcomes = [Accepted(), Accepted(), AWAY, Accepted()]
    until(lambda: worker.stats().spans_exported == 240)
    sent = [trace_number(payload) for payload in transport.payloads]
    assert sent == [1, 2, 3, *range(3, 31)]
    assert_nothing_unaccounted(worker)
    assert worker.shutdown(1)


def test_a_spool_from_before_is_replayed_without_new_traces(tmp_path: Path) -> None:
    before = scripted_worker(quick(spool=tmp_path, failures=1), Scripted(AWAY))
    before.offer(trace_of(1, 8))
    assert before.shutdown(2)
    transport = Scripted()
    worker = scripted_worker(quick(spool=tmp_path, delay=60), transport)
    worker.start()
    until(lambda: worker.stats().spans_exported == 8)
    assert worker.stats().spool.files == 0
    assert worker.shutdown(1)


def test_a_live_batch_waits_for_no_more_than_one_replayed(tmp_path: Path) -> None:
    before = scripted_worker(quick(spool=tmp_path, failures=1, reset=60), Scripted(AWAY))
    for number in range(1, 41):
        before.offer(trace_of(number, 8))
    assert before.shutdown(5)
    transport = Scripted()
    transport.hold.clear()
    worker = scripted_worker(quick(spool=tmp_path), transport)
    worker.start()
    until(lambda: len(transport.payloads) == 1)
    worker.offer(trace_of(999, 8))
    transport.hold.set()
    until(lambda: worker.stats().spool.files == 0)
    live = trace_of(999, 1).trace_id.to_bytes(16, "big")
    assert next(at for at, payload in enumerate(transport.payloads) if live in payload) == 1
    assert worker.shutdown(1)


def test_a_refusal_loses_the_batch_and_no_more(tmp_path: Path) -> None:
    transport = Scripted(Permanent("HTTP 400"), Accepted())
    worker = scripted_worker(quick(spool=tmp_path), transport)
    worker.offer(trace_of(1, 8))
    until(lambda: worker.stats().spans_dropped == {"refused": 8})
    worker.offer(trace_of(2, 8))
    until(lambda: worker.stats().spans_exported == 8)
    assert assert_nothing_unaccounted(worker).traces_dropped == {"refused": 1}
    assert worker.shutdown(1)


def test_rejected_spans_are_counted() -> None:
    worker = scripted_worker(quick(delay=60), Scripted(Accepted(3, "too long")))
    worker.offer(trace_of(1, 8))
    assert worker.flush(2) is False
    stats = assert_nothing_unaccounted(worker)
    assert (stats.spans_exported, stats.spans_rejected, stats.state) == (5, 3, "rejecting")
    assert stats.last_error == "3 of 8 spans rejected: too long"
    assert worker.shutdown(1)


def test_a_full_queue_drops_whole_traces_and_counts_them() -> None:
    transport = Scripted()
    transport.hold.clear()
    worker = scripted_worker(quick(batch=4, queue=20), transport)
    worker.offer(trace_of(1, 4))
    until(lambda: len(transport.payloads) == 1)
    for number in range(2, 102):
        worker.offer(trace_of(number, 4, is_error=number == 2))
    stats = assert_nothing_unaccounted(worker)
    assert (stats.queue_spans, stats.in_flight_spans) == (20, 4)
    assert stats.spans_dropped == {"queue_full": 380}
    assert stats.traces_dropped == {"queue_full": 95}
    transport.hold.set()
    assert worker.flush(3)
    assert any(spans_of(p) == 4 and (2).to_bytes(16, "big") in p for p in transport.payloads)
    assert worker.shutdown(1)


def test_a_trace_that_cannot_be_encoded_is_lost_alone(caplog: pytest.LogCaptureFixture) -> None:
    worker = scripted_worker(quick(delay=60), Scripted())
    worker.offer(trace_of(1))
    for number in (2, 4):
        worker.offer(TraceData(number, [Span(context(2), start_ns=-1)]))
    worker.offer(trace_of(3))
    assert worker.flush(2) is False
    stats = assert_nothing_unaccounted(worker)
    assert (stats.spans_exported, stats.spans_dropped) == (2, {"unencodable": 2})
    assert stats.last_error == "a trace cannot be encoded: error"
    assert len(caplog.records) == 1
    assert worker.shutdown(1)


def test_a_transport_that_raises_is_a_transport_that_fails(tmp_path: Path) -> None:
    worker = scripted_worker(quick(spool=tmp_path), Scripted(RuntimeError("s3cret"), Accepted()))
    worker.offer(trace_of(1))
    until(lambda: worker.stats().spans_exported == 1)
    assert worker.stats().last_error == "the transport failed: RuntimeError"
    assert worker.shutdown(1)


@pytest.mark.parametrize("seconds", [0.3, 1.0])
def test_flush_keeps_its_deadline_and_loses_nothing_when_the_transport_hangs(seconds: float) -> None:
    transport = Scripted()
    transport.hold.clear()
    worker = scripted_worker(quick(), transport)
    for number in range(1, 10):
        worker.offer(trace_of(number, 8))
    began = time.monotonic()
    assert worker.flush(seconds) is False
    assert time.monotonic() - began < seconds + 0.2
    stats = assert_nothing_unaccounted(worker)
    assert sum(stats.spans_dropped.values()) == 0
    transport.hold.set()
    assert worker.flush(2)
    assert worker.stats().spans_exported == 72
    assert worker.shutdown(1)


@pytest.mark.parametrize("late", [Accepted(), AWAY, Permanent("no")], ids=["accepted", "away", "refused"])
@pytest.mark.parametrize("has_spool", [True, False], ids=["spool", "no spool"])
def test_shutdown_keeps_its_deadline_when_the_transport_hangs(
    tmp_path: Path, has_spool: bool, late: Outcome
) -> None:
    """Whatever the transport says in the end: the batch has been dealt with, and is counted once."""
    transport = Scripted(late)
    transport.hold.clear()
    worker = scripted_worker(quick(spool=tmp_path if has_spool else None), transport)
    for number in range(1, 21):
        worker.offer(trace_of(number, 8))
    until(lambda: len(transport.payloads) == 1)
    began = time.monotonic()
    assert worker.shutdown(1) is has_spool
    assert time.monotonic() - began < 1.2
    stats = assert_nothing_unaccounted(worker)
    assert stats.queue_spans == 0
    assert stats.spool.spans == (160 if has_spool else 0)
    assert sum(stats.spans_dropped.values()) == (0 if has_spool else 160)
    transport.hold.set()
    assert worker._thread
    worker._thread.join(5)
    assert not worker._thread.is_alive()
    later = assert_nothing_unaccounted(worker)
    assert later.spans_exported == 0
    assert (later.spool, later.spans_dropped) == (stats.spool, stats.spans_dropped)


@pytest.mark.parametrize("method", ["flush", "shutdown"])
def test_a_try_has_no_more_time_than_the_deadline_leaves(tmp_path: Path, method: str) -> None:
    transport = Scripted()
    worker = scripted_worker(quick(spool=tmp_path, delay=60), transport)
    worker.offer(trace_of(1))
    assert getattr(worker, method)(2)
    assert 1 < transport.deadlines[0] <= 1.5
    assert worker.shutdown(1)


def test_shutdown_twice_is_shutdown_once() -> None:
    worker = scripted_worker(quick(delay=60), Scripted())
    worker.offer(trace_of(1))
    assert worker.shutdown(1)
    assert worker.shutdown(1)
    assert assert_nothing_unaccounted(worker).spans_exported == 1


def test_shutdown_while_the_lock_is_held_keeps_its_deadline() -> None:
    """As when a signal's handler interrupts an offer."""
    worker = scripted_worker(quick(), Scripted())
    with worker._lock:
        began = time.monotonic()
        assert worker.shutdown(0.3) is False
        assert worker.flush(0.3) is False
        assert time.monotonic() - began < 1


def test_a_spool_that_cannot_be_written_is_counted(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    worker = scripted_worker(quick(spool=tmp_path / "file" / "spool", failures=1), Scripted(AWAY))
    worker.offer(trace_of(1, 8))
    until(lambda: worker.stats().spans_dropped == {"spool_failed": 8})
    assert worker.stats().state == "losing"
    assert_nothing_unaccounted(worker)
    assert worker.shutdown(1)


def test_one_line_for_each_change_of_state(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "mizuchi.tracing.export")
    transport = Scripted(AWAY)
    worker = scripted_worker(quick(spool=tmp_path, failures=3, reset=0.1), transport)
    for number in range(1, 41):
        worker.offer(trace_of(number, 8))
        time.sleep(0.02)
    until(lambda: worker.stats().spool.traces == 40)
    transport.outcomes = [Accepted()]
    until(lambda: worker.stats().spans_exported == 320)
    lines = [record.getMessage() for record in caplog.records]
    assert [line.partition(":")[0] for line in lines[:2]] == [
        "trace export fails, retrying",
        "trace export fails, traces are kept in the spool",
    ]
    assert lines[2].startswith("trace export has recovered, it was spooling")
    assert len(lines) == 3
    assert len(transport.payloads) > 45
    assert worker.shutdown(1)
    assert_nothing_unaccounted(worker)


def test_what_was_lost_is_told_once_at_the_end(caplog: pytest.LogCaptureFixture) -> None:
    """The counters end with the process."""
    worker = scripted_worker(quick(delay=60, queue=8), Scripted(Permanent("HTTP 400")))
    for number in range(1, 4):
        worker.offer(trace_of(number, 4))
    worker.shutdown(1)
    worker.shutdown(1)
    lines = [record.getMessage() for record in caplog.records if "has ended" in record.getMessage()]
    assert lines == ["trace export has ended: 3 traces were lost (queue_full 1, refused 2)"]


def test_an_end_without_a_loss_is_not_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "mizuchi.tracing.export")
    worker = scripted_worker(quick(delay=60, spool=tmp_path), Scripted())
    worker.offer(trace_of(1))
    assert worker.shutdown(1)
    assert caplog.records == []


def test_what_is_no_trace_at_all_raises_nothing_into_a_request() -> None:
    worker = scripted_worker(quick(delay=60), Scripted())
    worker.offer(TraceData(1, [object()]))  # type: ignore[list-item]
    assert worker.flush(2) is False
    assert assert_nothing_unaccounted(worker).spans_dropped == {"unencodable": 1}
    assert worker.shutdown(1)


def test_a_redirect_is_told_with_where_it_leads(tmp_path: Path) -> None:
    with otlp_receiver("http/protobuf") as receiver:
        receiver.behaviour = Redirect("https://elsewhere.example/v1/traces")
        worker = real_worker(quick(towards(receiver), tmp_path, delay=60))
        worker.offer(trace_of(1))
        assert worker.flush(3) is False
        stats = assert_nothing_unaccounted(worker)
        assert "elsewhere.example" in stats.last_error
        assert stats.spans_dropped == {"refused": 1}
        assert worker.shutdown(3)


def test_the_spool_drains_while_the_queue_is_never_empty(tmp_path: Path) -> None:
    before = scripted_worker(quick(spool=tmp_path, failures=1, reset=60), Scripted(AWAY))
    for number in range(1, 11):
        before.offer(trace_of(number, 8))
    assert before.shutdown(5)
    transport = Scripted()
    worker = scripted_worker(quick(spool=tmp_path), transport)
    send = transport.send

    def busy(payload: bytes, deadline_seconds: float) -> Outcome:
        if len(transport.payloads) < 60:
            worker.offer(trace_of(1000 + len(transport.payloads), 8))
        return send(payload, deadline_seconds)

    transport.send = busy  # type: ignore[method-assign]
    worker.start()
    for number in range(100, 110):
        worker.offer(trace_of(number, 8))
    until(lambda: worker.stats().spool.files == 0)
    replayed = [at for at, payload in enumerate(transport.payloads) if trace_number(payload) <= 10]
    assert len(replayed) == 10
    assert replayed[-1] < 25
    assert worker.flush(5)
    assert worker.shutdown(1)


def test_shutdown_waits_for_a_batch_that_is_being_spooled(tmp_path: Path) -> None:
    worker = scripted_worker(quick(spool=tmp_path, failures=1), Scripted(AWAY))
    assert worker._path.spool
    put = worker._path.spool.put

    putting, release = threading.Event(), threading.Event()

    def slow_put(payload: bytes, *, spans: int, traces: int) -> None:
        putting.set()
        release.wait(5)
        put(payload, spans=spans, traces=traces)

    worker._path.spool.put = slow_put  # type: ignore[method-assign]
    worker.offer(trace_of(1, 8))
    assert putting.wait(5)
    # Later than the time for sending, which is 1.5 s, and before the deadline.
    threading.Timer(1.7, release.set).start()
    assert worker.shutdown(2)
    assert assert_nothing_unaccounted(worker).spool.spans == 8


def test_while_a_try_hangs_what_the_queue_cannot_hold_goes_to_the_spool(tmp_path: Path) -> None:
    transport = Scripted()
    transport.hold.clear()
    worker = scripted_worker(quick(spool=tmp_path, batch=8, queue=40), transport)
    worker.offer(trace_of(1, 8))
    until(lambda: len(transport.payloads) == 1)
    for number in range(2, 202):
        worker.offer(trace_of(number, 8))
        until(lambda: worker.stats().queue_spans < 32)
    stats = assert_nothing_unaccounted(worker)
    assert stats.spans_dropped == {}
    assert stats.spool.spans > 1500
    transport.hold.set()
    until(lambda: worker.stats().spans_exported == 201 * 8)
    sent = sorted(trace_number(payload) for payload in transport.payloads)
    assert len(sent) == len(set(sent))
    assert worker.shutdown(3)


def test_shutdown_while_the_queue_overflows_loses_nothing(tmp_path: Path) -> None:
    transport = Scripted()
    transport.hold.clear()
    worker = scripted_worker(quick(spool=tmp_path, batch=8, queue=400), transport)
    for number in range(1, 201):
        worker.offer(trace_of(number, 4))
    assert worker.shutdown(2)
    stats = assert_nothing_unaccounted(worker)
    assert stats.spool.spans + sum(stats.spans_dropped.values()) == 800
    transport.hold.set()


def test_without_a_spool_a_crowded_queue_waits(tmp_path: Path) -> None:
    transport = Scripted()
    transport.hold.clear()
    worker = scripted_worker(quick(batch=8, queue=40), transport)
    before = threading.active_count()
    for number in range(1, 21):
        worker.offer(trace_of(number, 8))
    assert threading.active_count() <= before + 1
    until(lambda: worker.stats().queue_spans == 40)
    assert assert_nothing_unaccounted(worker).spans_dropped["queue_full"] > 0
    transport.hold.set()
    worker.shutdown(3)


def test_a_queue_that_overflows_is_no_failure_of_the_collector_yet(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The reason is told when it is known."""
    transport = Scripted(AWAY)
    transport.hold.clear()
    worker = scripted_worker(quick(spool=tmp_path, batch=8, queue=40, reset=60), transport)
    for number in range(1, 21):
        worker.offer(trace_of(number, 8))
        until(lambda: worker.stats().queue_spans < 32)
    assert worker.stats().spool.spans > 0
    assert worker.stats().state == "healthy"
    transport.hold.set()
    until(lambda: len(caplog.records) == 2)
    assert worker.stats().state == "spooling"
    assert [record.getMessage().partition(": ")[2] for record in caplog.records] == ["away", "away"]
    assert worker.shutdown(3)


def test_a_spool_that_is_full_loses_and_says_so(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    config = quick(failures=1, reset=60)
    config = replace(config, spool=SpoolConfig(tmp_path, max_bytes=4 * 4096))
    worker = scripted_worker(config, Scripted(AWAY))
    for number in range(1, 11):
        worker.offer(trace_of(number, 8))
        until(lambda: worker.stats().queue_spans + worker.stats().in_flight_spans == 0)
    stats = assert_nothing_unaccounted(worker)
    assert stats.spans_dropped["spool_full"] > 0
    assert stats.state == "losing"
    assert "the spool is full" in caplog.records[-1].getMessage()
    assert stats.last_error == "away", "what is wrong with the collector, however often the spool was full"
    worker.shutdown(2)


def test_while_the_breaker_is_open_the_spool_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Under load that would be megabytes for each batch, for nothing."""
    claimed: list[str] = []
    lock = fcntl.flock

    def note(descriptor: int, operation: int) -> None:
        if os.readlink(f"/proc/self/fd/{descriptor}").endswith(".otlp"):
            claimed.append("read")
        lock(descriptor, operation)

    transport = Scripted(AWAY)
    worker = scripted_worker(quick(spool=tmp_path, failures=1, reset=60), transport)
    worker.offer(trace_of(1, 8))
    until(lambda: worker.stats().spool.files == 1)
    monkeypatch.setattr(fcntl, "flock", note)
    for number in range(2, 12):
        worker.offer(trace_of(number, 8))
        until(lambda number=number: worker.stats().spool.files == number)  # type: ignore[misc]
    assert claimed == []
    assert worker.shutdown(2)


def test_what_is_not_foreseen_is_told_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    transport = Scripted(RuntimeError("a bug"))
    worker = scripted_worker(quick(spool=tmp_path, failures=100), transport)
    for number in range(1, 21):
        worker.offer(trace_of(number, 8))
    until(lambda: len(transport.payloads) > 5)
    assert worker.shutdown(2)
    told = [record for record in caplog.records if record.exc_info]
    assert len(told) == 1
    assert_nothing_unaccounted(worker)


def test_a_collector_that_answers_now_and_then_does_not_fill_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """As one that limits the rate: every other request is refused for a while."""
    caplog.set_level(logging.INFO, "mizuchi.tracing.export")
    transport = Scripted(*[AWAY, Accepted()] * 100)
    worker = scripted_worker(quick(spool=tmp_path, failures=1000), transport)
    for number in range(1, 61):
        worker.offer(trace_of(number, 8))
    until(lambda: worker.stats().spans_exported == 480)
    assert len(transport.payloads) >= 100
    lines = [record.getMessage() for record in caplog.records]
    assert len(lines) <= 11, lines
    assert "told" in lines[-1], lines
    assert worker.shutdown(2)


def test_the_statistics_of_a_moment_fit_together() -> None:
    worker = scripted_worker(quick(batch=4, queue=100), Scripted())
    stopped = threading.Event()

    def offer() -> None:
        number = 0
        while not stopped.is_set():
            number += 1
            worker.offer(trace_of(number, 4))

    threads = [threading.Thread(target=offer) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(500):
            stats = worker.stats()
            accounted = stats.spans_exported + stats.queue_spans + stats.in_flight_spans
            accounted += sum(stats.spans_dropped.values())
            assert accounted <= stats.spans_offered, stats
            assert stats.spans_exported == 4 * stats.traces_exported, stats
    finally:
        stopped.set()
        for thread in threads:
            thread.join()
        worker.shutdown(2)
    assert_nothing_unaccounted(worker)
