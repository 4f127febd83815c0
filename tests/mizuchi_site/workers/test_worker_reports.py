"""Workers tell how they are, and a page of any of them shows all."""

from __future__ import annotations

import os
from datetime import timedelta

import pytest
from django.db.models import F

from mizuchi_site.models import WorkerReport
from mizuchi_site.workers.report import current_report, remove_report, write_report
from mizuchi_site.workers.roll import prune_reports, roll_call
from tracing_app.version import VERSION
from uploads.statistics.recorder import RequestRecorder
from uploads.worker import worker_name

pytestmark = pytest.mark.django_db


@pytest.fixture
def recorder() -> RequestRecorder:
    recorder = RequestRecorder()
    recorder.enter(object(), "photos")
    return recorder


def age(worker: str, seconds: float) -> None:
    """As if it had said nothing for so long."""
    reports = WorkerReport.objects.filter(worker=worker)
    reports.update(reported_at=F("reported_at") - timedelta(seconds=seconds))


def test_a_worker_says_how_it_is(recorder: RequestRecorder) -> None:
    write_report(current_report(recorder))

    (worker,) = roll_call()
    assert (worker.node, worker.pid, worker.version) == (worker_name().split(":")[0], os.getpid(), VERSION)
    assert worker.in_flight == {"photos": 1}
    assert worker.memory_bytes is not None
    assert worker.memory_bytes > 10_000_000
    assert 0 <= worker.silent_seconds < 10
    assert not worker.is_gone


def test_what_it_says_last_counts(recorder: RequestRecorder) -> None:
    write_report(current_report(recorder))
    age(worker_name(), 60)
    recorder.enter(object(), "photos")
    write_report(current_report(recorder))

    (worker,) = roll_call()
    assert worker.in_flight == {"photos": 2}
    assert not worker.is_gone


@pytest.mark.parametrize(("silent", "is_gone"), [(15, False), (21, True)])
def test_who_is_silent_is_gone(recorder: RequestRecorder, silent: int, is_gone: bool) -> None:
    write_report(current_report(recorder))
    age(worker_name(), silent)

    (worker,) = roll_call()
    assert worker.is_gone == is_gone
    assert silent <= worker.silent_seconds < silent + 4


@pytest.mark.parametrize(("silent", "left"), [(590, 1), (601, 0)])
def test_who_is_gone_for_long_is_forgotten(recorder: RequestRecorder, silent: int, left: int) -> None:
    write_report(current_report(recorder))
    age(worker_name(), silent)
    prune_reports()

    assert len(roll_call()) == left


def test_who_ends_says_goodbye(recorder: RequestRecorder) -> None:
    report = current_report(recorder)
    write_report(report)
    remove_report(report.worker)

    assert roll_call() == []


def test_workers_are_in_order(recorder: RequestRecorder) -> None:
    for name in ("b:20:1", "a:3:1", "a:12:1"):
        node, pid, _ = name.split(":")
        report = current_report(recorder)
        report.worker, report.node, report.pid = name, node, int(pid)
        write_report(report)
    age("a:3:1", 30)

    assert [worker.worker for worker in roll_call()] == ["a:12:1", "b:20:1", "a:3:1"]
