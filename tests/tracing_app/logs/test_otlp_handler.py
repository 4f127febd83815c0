"""The exporting layer under trouble: it never blocks, never raises, never feeds on itself."""

from __future__ import annotations

import logging
import os
import threading
import time
import warnings
from collections.abc import Iterator
from dataclasses import replace

import pytest
from django.test import Client

from tests.servers.otlp_receiver import BlackHole, Fail, OtlpReceiver, Partial, otlp_receiver, refused_port
from tests.tracing_app.exporting.export_setup import quick, real_worker, towards, until
from tests.tracing_app.exporting.otlp_samples import trace_of
from tests.tracing_app.logs.records import record_of
from tracing_app.config import TracingConfig
from tracing_app.exporting.config import ExportConfig, OtlpConfig
from tracing_app.logs import log_export
from tracing_app.logs.config import LogExportConfig
from tracing_app.logs.log_export import LogExportStats, log_export_stats
from tracing_app.logs.otlp_handler import OtlpHandler

OWN = logging.getLogger("tests_of_logs")


@pytest.fixture
def receiver() -> Iterator[OtlpReceiver]:
    with otlp_receiver("http/protobuf") as made:
        yield made


@pytest.fixture
def handlers(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[OtlpHandler]]:
    """Handlers put in here are on the root logger, and closed at the end."""
    monkeypatch.setattr(log_export._Process, "export", None)
    made: list[OtlpHandler] = []
    OWN.setLevel(logging.INFO)
    yield made
    for handler in made:
        logging.getLogger().removeHandler(handler)
        handler.close()


def begin(
    handlers: list[OtlpHandler], export: ExportConfig, clean: tuple[str, ...] = ("nothing",)
) -> OtlpHandler:
    handler = OtlpHandler(LogExportConfig(export, TracingConfig("tests"), clean, ("tests_of_logs",)))
    logging.getLogger().addHandler(handler)
    handlers.append(handler)
    return handler


def stats() -> LogExportStats:
    found = log_export_stats()
    assert found is not None
    return found


def texts(receiver: OtlpReceiver) -> list[str]:
    return [record.body.string_value for record in receiver.log_records()]


def test_records_arrive(handlers: list[OtlpHandler], receiver: OtlpReceiver) -> None:
    begin(handlers, quick(towards(receiver)))

    OWN.info("one")
    OWN.debug("not asked for")

    until(lambda: stats().records_exported == 1)
    assert texts(receiver) == ["one"]
    assert (stats().records_offered, stats().state) == (1, "healthy")


def test_what_the_export_logs_itself_is_not_exported(
    handlers: list[OtlpHandler], receiver: OtlpReceiver, caplog: pytest.LogCaptureFixture
) -> None:
    """Every answer of this collector makes a line, which must not be the next batch."""
    begin(handlers, quick(towards(receiver)))
    caplog.set_level(logging.INFO, "mizuchi.tracing.export")
    receiver.behaviour = Partial(1)
    OWN.info("rejected")
    until(lambda: stats().records_rejected == 1)
    receiver.behaviour = Partial(0)
    OWN.info("accepted")
    until(lambda: stats().state == "healthy")

    assert "log export has recovered" in caplog.text
    assert "the collector refuses logs" in caplog.text
    assert stats().records_offered == 2
    assert texts(receiver) == ["rejected", "accepted"]


def test_a_thread_that_cannot_start_locks_nothing(
    handlers: list[OtlpHandler], receiver: OtlpReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is logged while the queue is locked: taking that record too would wait for ever."""

    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    begin(handlers, quick(towards(receiver)))
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        OWN.info("one")
    OWN.info("two")

    until(lambda: texts(receiver) == ["one", "two"])


def test_an_argument_that_logs_while_it_is_told(handlers: list[OtlpHandler], receiver: OtlpReceiver) -> None:
    class Chatty:
        def __str__(self) -> str:
            OWN.info("inner")
            return "outer"

    handler = begin(handlers, quick(towards(receiver)), clean=("tests_of_logs",))

    handler.handle(record_of("%s", Chatty(), name="tests_of_logs"))

    until(lambda: texts(receiver) == ["outer"])


def test_a_full_queue_drops_the_oldest_and_counts(handlers: list[OtlpHandler]) -> None:
    with refused_port() as port:
        otlp = OtlpConfig(f"http://127.0.0.1:{port}", "http/protobuf", 0.2)
        begin(handlers, quick(otlp, queue=10, batch=100, delay=60))
        for number in range(25):
            OWN.info("%d", number)

        assert stats().queue_records == 10
        assert stats().records_dropped == {"queue_full": 15}


def test_without_a_collector_records_are_lost_and_counted(
    handlers: list[OtlpHandler], receiver: OtlpReceiver
) -> None:
    receiver.behaviour = Fail()
    begin(handlers, quick(towards(receiver), retry=0.1, failures=100))
    OWN.info("lost")
    until(lambda: stats().records_dropped == {"no_spool": 1})
    assert stats().state == "losing"
    assert "503" in stats().last_error

    receiver.behaviour = Partial(0)
    OWN.info("found")
    until(lambda: texts(receiver) == ["found"])


def test_a_black_hole_delays_no_caller(handlers: list[OtlpHandler], receiver: OtlpReceiver) -> None:
    receiver.behaviour = BlackHole()
    begin(handlers, quick(towards(receiver)))
    OWN.info("first")
    until(lambda: receiver.tries == 1)

    began = time.monotonic()
    for number in range(1000):
        OWN.info("%d", number)
    assert time.monotonic() - began < 1


def test_traces_and_logs_end_in_the_same_three_seconds(
    handlers: list[OtlpHandler], receiver: OtlpReceiver
) -> None:
    receiver.behaviour = BlackHole()
    otlp = towards(receiver, timeout_seconds=30.0)
    handler = begin(handlers, quick(otlp))
    worker = real_worker(quick(otlp))
    OWN.info("stuck")
    worker.offer(trace_of(1, 4))
    until(lambda: receiver.tries == 2)

    began = time.monotonic()
    log_export.hurry_log_export(3)
    assert not worker.shutdown(3)
    handler.close()

    assert time.monotonic() - began < 4
    assert sum(stats().records_dropped.values()) == stats().records_offered


def test_after_the_end_records_are_counted_only(handlers: list[OtlpHandler], receiver: OtlpReceiver) -> None:
    handler = begin(handlers, quick(towards(receiver), delay=60))
    OWN.info("last")
    handler.close()
    OWN.info("late")

    assert texts(receiver) == ["last"]
    assert stats().records_dropped == {"closed": 1}


def test_a_forked_child_exports_its_own(handlers: list[OtlpHandler], receiver: OtlpReceiver) -> None:
    handler = begin(handlers, quick(towards(receiver), delay=60))
    OWN.info("of the parent")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        pid = os.fork()
    if pid == 0:
        OWN.info("of the child")
        handler.close()
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0
    assert texts(receiver) == ["of the child"]
    handler.close()
    assert texts(receiver) == ["of the child", "of the parent"]


def test_a_record_that_cannot_be_encoded_is_lost_alone(
    handlers: list[OtlpHandler], receiver: OtlpReceiver
) -> None:
    handler = begin(handlers, quick(towards(receiver), delay=60))
    handler.handle(record_of("whole", name="tests_of_logs"))
    handler.handle(record_of("torn", name="tests_of_logs", extra={"trace_flags": 0, "trace_id": "no hex"}))
    handler.close()

    assert texts(receiver) == ["whole"]
    assert stats().records_dropped == {"unencodable": 1}


def test_the_lock_of_logging_is_not_used(handlers: list[OtlpHandler], receiver: OtlpReceiver) -> None:
    """Held for seconds by the end of a process, it would stop every thread that logs."""
    handler = begin(handlers, quick(replace(towards(receiver), timeout_seconds=5.0)))
    assert handler.lock is None


@pytest.mark.django_db
def test_staff_of_the_admin_see_the_counts(
    handlers: list[OtlpHandler], receiver: OtlpReceiver, admin_client: Client
) -> None:
    begin(handlers, quick(towards(receiver)))
    OWN.info("one")
    until(lambda: stats().records_exported == 1)

    told = admin_client.get("/health/tracing").json()["logs"]

    assert (told["records_offered"], told["records_exported"], told["records_dropped"]) == (1, 1, {})
