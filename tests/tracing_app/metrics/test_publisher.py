"""A worker's numbers are on the board from its start to its end, and what fails is told once."""

from __future__ import annotations

import logging
import threading

import pytest

from tests.tracing_app.exporting.export_setup import until
from tests.tracing_app.metrics.metric_samples import Samples, board
from tracing_app.metrics.meter import Meter, Place
from tracing_app.metrics.publisher import Publisher
from tracing_app.metrics.readings import Reading


def test_it_publishes_at_the_start_now_and_then_and_at_the_end(samples: Samples) -> None:
    counted = [0.0]

    def count() -> list[Reading]:
        counted[0] += 1
        return [(samples.cakes, ("plum",), counted[0])]

    with board(1) as on:
        publisher = Publisher(Meter([count], Place(on, 1)), every_seconds=0.02)
        publisher.start()
        assert on.read(1) is not None
        until(lambda: counted[0] >= 3)
        publisher.stop()
        last = on.read(1)
        assert last is not None
        assert f'[["plum"],{counted[0]}]' in last.decode()


def test_what_is_due_is_published_sooner() -> None:
    is_due, published = threading.Event(), []

    def collect() -> list[Reading]:
        published.append(1)
        is_due.clear()
        return []

    with board(1) as on:
        publisher = Publisher(Meter([collect], Place(on, 1)), every_seconds=60.0, is_due=is_due.is_set)
        publisher.start()
        assert len(published) == 1
        is_due.set()
        until(lambda: len(published) == 2)
        publisher.stop()


def test_what_fails_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    tries = []

    def fail() -> list[Reading]:
        tries.append(1)
        raise RuntimeError("a fault")

    caplog.set_level(logging.ERROR, "tracing_app.metrics")
    with board(1) as on:
        publisher = Publisher(Meter([fail], Place(on, 1)), every_seconds=0.01)
        publisher.start()
        until(lambda: len(tries) >= 4)
        publisher.stop()
    assert [record.getMessage() for record in caplog.records] == [
        "the numbers of this worker cannot be shown"
    ]
