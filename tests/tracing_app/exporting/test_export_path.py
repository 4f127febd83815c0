"""The whole path against real receivers that fail in every way: nothing is lost beyond the counters."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import grpc
import pytest

from tests.servers.certificates import self_signed
from tests.servers.otlp_receiver import (
    Accept,
    Behaviour,
    BlackHole,
    Fail,
    Garbage,
    OtlpReceiver,
    Partial,
    otlp_receiver,
)
from tests.tracing_app.exporting.export_setup import (
    assert_nothing_unaccounted,
    quick,
    real_worker,
    towards,
    until,
)
from tests.tracing_app.exporting.otlp_samples import RESOURCE, reference, request_trace, trace_of
from tracing_app.exporting.config import OtlpConfig
from tracing_app.exporting.worker import ExportWorker

Protocol = Literal["grpc", "http/protobuf"]
pytestmark = pytest.mark.parametrize("protocol", ["grpc", "http/protobuf"])


@pytest.fixture
def receiver(protocol: Protocol) -> Iterator[OtlpReceiver]:
    with otlp_receiver(protocol) as made:
        yield made


def offer(worker: ExportWorker, first: int, last: int) -> None:
    for number in range(first, last + 1):
        worker.offer(trace_of(number, 4))


def test_what_the_receiver_gets_is_what_was_recorded(receiver: OtlpReceiver, tmp_path: Path) -> None:
    worker = real_worker(quick(towards(receiver), tmp_path, delay=60))
    worker.offer(request_trace(9))
    assert worker.flush(3)
    assert receiver.requests == [reference([request_trace(9)], RESOURCE)]
    assert worker.shutdown(3)


@pytest.mark.parametrize(
    "behaviour",
    [
        Fail(),
        Fail(429, grpc.StatusCode.ABORTED),
        Fail(503, grpc.StatusCode.RESOURCE_EXHAUSTED, retry_after="1"),
        BlackHole(),
        "stopped",
    ],
    ids=["503", "429", "retry-after", "black hole", "refused"],
)
def test_an_outage_loses_nothing_and_recovery_replays_the_spool(
    receiver: OtlpReceiver, tmp_path: Path, behaviour: Behaviour | str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "mizuchi.tracing.export")
    worker = real_worker(quick(towards(receiver, timeout_seconds=0.5), tmp_path, failures=2))
    offer(worker, 1, 4)
    until(lambda: worker.stats().spans_exported == 16)
    if isinstance(behaviour, str):
        receiver.stop()
    else:
        receiver.behaviour = behaviour
    offer(worker, 5, 60)
    until(lambda: worker.stats().spool.spans == 4 * 56)
    assert assert_nothing_unaccounted(worker).state == "spooling"
    if isinstance(behaviour, str):
        receiver.start()
    else:
        receiver.behaviour = Accept()
        receiver.released.set()
    offer(worker, 61, 64)
    until(lambda: worker.stats().spool.files == 0 and worker.stats().spans_exported == 4 * 64, 20)
    stats = assert_nothing_unaccounted(worker)
    assert stats.spans_dropped == {}
    assert sorted(receiver.trace_ids()) == list(range(1, 65))
    assert (stats.state, stats.breaker) == ("healthy", "closed")
    assert len([record for record in caplog.records if record.name == "mizuchi.tracing.export"]) <= 3
    assert worker.shutdown(3)


@pytest.mark.parametrize(
    ("behaviour", "told"),
    [
        (Fail(400, grpc.StatusCode.INVALID_ARGUMENT), "away"),
        (Garbage(), "not as an OTLP receiver"),
        (Fail(404, grpc.StatusCode.UNIMPLEMENTED), "away"),
    ],
    ids=["400", "garbage", "404"],
)
def test_a_refusal_is_dropped_counted_and_told_once(
    receiver: OtlpReceiver, tmp_path: Path, behaviour: Behaviour, told: str, caplog: pytest.LogCaptureFixture
) -> None:
    receiver.behaviour = behaviour
    worker = real_worker(quick(towards(receiver), tmp_path, delay=60, batch=512))
    for _ in range(3):
        offer(worker, 1, 2)
        assert worker.flush(3) is False
    stats = assert_nothing_unaccounted(worker)
    assert stats.spans_dropped == {"refused": 24}
    assert stats.spool.files == 0
    assert told in stats.last_error
    assert len([record for record in caplog.records if record.name == "mizuchi.tracing.export"]) == 1
    receiver.behaviour = Accept()
    offer(worker, 1, 1)
    assert worker.flush(3)
    assert worker.stats().state == "healthy"
    assert worker.shutdown(3)


def test_partial_success_is_counted(receiver: OtlpReceiver) -> None:
    receiver.behaviour = Partial(3, "too long")
    worker = real_worker(quick(towards(receiver), delay=60, batch=512))
    offer(worker, 1, 2)
    assert worker.flush(3) is False
    stats = assert_nothing_unaccounted(worker)
    assert (stats.spans_exported, stats.spans_rejected) == (5, 3)
    assert worker.shutdown(3)


def test_a_slow_receiver_delays_nothing_and_loses_nothing(receiver: OtlpReceiver, tmp_path: Path) -> None:
    receiver.behaviour = Accept(seconds=0.2)
    worker = real_worker(quick(towards(receiver), tmp_path))
    began = time.monotonic()
    offer(worker, 1, 20)
    assert time.monotonic() - began < 1
    until(lambda: worker.stats().spans_exported == 80)
    assert assert_nothing_unaccounted(worker).spool.files == 0
    assert worker.shutdown(3)


@pytest.mark.parametrize("has_spool", [True, False], ids=["spool", "no spool"])
def test_shutdown_before_a_black_hole_ends_in_time(
    receiver: OtlpReceiver, tmp_path: Path, has_spool: bool
) -> None:
    receiver.behaviour = BlackHole()
    otlp = towards(receiver, timeout_seconds=10.0)
    worker = real_worker(quick(otlp, tmp_path if has_spool else None))
    offer(worker, 1, 200)
    until(lambda: receiver.tries == 1)
    began = time.monotonic()
    assert worker.shutdown(3) is has_spool
    assert time.monotonic() - began < 3.2
    stats = assert_nothing_unaccounted(worker)
    assert (stats.spool.spans if has_spool else stats.spans_dropped["shutdown"]) == 800


def test_shutdown_of_a_healthy_path_is_quick_and_whole(receiver: OtlpReceiver, tmp_path: Path) -> None:
    worker = real_worker(quick(towards(receiver), tmp_path, delay=60, batch=512))
    offer(worker, 1, 100)
    began = time.monotonic()
    assert worker.shutdown(3)
    assert time.monotonic() - began < 2
    assert assert_nothing_unaccounted(worker).spans_exported == 400
    assert len(receiver.spans()) == 400


def test_a_certificate_that_is_not_trusted_spools_and_recovers(protocol: Protocol, tmp_path: Path) -> None:
    theirs, other = tmp_path / "theirs", tmp_path / "other"
    theirs.mkdir()
    other.mkdir()
    certificate = self_signed(theirs)
    authority = tmp_path / "ca.pem"
    authority.write_bytes(self_signed(other).certificate.read_bytes())
    with otlp_receiver(protocol, tls=certificate) as receiver:
        config = quick(towards(receiver, ca_file=authority), tmp_path / "spool")
        worker = real_worker(config)
        offer(worker, 1, 8)
        until(lambda: worker.stats().spool.spans == 32)
        assert "not trusted" in assert_nothing_unaccounted(worker).last_error
        assert worker.shutdown(3)
        authority.write_bytes(certificate.certificate.read_bytes())
        repaired = real_worker(config)
        repaired.start()
        until(lambda: len(receiver.spans()) == 32)
        assert repaired.shutdown(3)


def test_a_name_that_does_not_resolve_spools(protocol: Protocol, tmp_path: Path) -> None:
    worker = real_worker(quick(OtlpConfig("http://collector.invalid:14317", protocol, 1.0), tmp_path))
    offer(worker, 1, 8)
    until(lambda: worker.stats().spool.spans == 32)
    assert "DNS" in assert_nothing_unaccounted(worker).last_error
    assert worker.shutdown(3)
