"""How the gateway is, by REST."""

from __future__ import annotations

import time
from typing import Any

import pytest
from django.test import Client

from mizuchi_site.workers.report import current_report, write_report
from tests.mizuchi_site.members import client_of
from uploads.s3.operations import Operation
from uploads.statistics.recorder import RequestRecorder
from uploads.statistics.slots import write_slots

pytestmark = pytest.mark.django_db

PATH = "/api/v1/status/"


@pytest.fixture
def worker() -> RequestRecorder:
    """Somebody who has counted something, and has told so."""
    recorder = RequestRecorder(lambda: time.time() - 60)
    for status in (200, 200, 200, 403, 500):
        recorder.count("uploads", Operation.PUT_OBJECT, status, 0.02, 1000, (0.005, 0.01))
    recorder.count("-", None, 404, 0.001, 0, None)
    recorder.count("removed", Operation.PUT_OBJECT, 200, 0.02, 1000, None)
    recorder.enter(object(), "uploads")
    write_slots(recorder, "node-a:7:1")
    report = current_report(recorder)
    report.worker, report.node, report.pid = "node-a:7:1", "node-a", 7
    write_report(report)
    return recorder


def status(client: Client, **asked: str) -> dict[str, Any]:
    answer = client.get(PATH, asked)
    assert answer.status_code == 200, answer.content
    told: dict[str, Any] = answer.json()
    return told


@pytest.mark.parametrize(("window", "steps"), [("15m", 60), ("1h", 60), ("24h", 96)])
def test_what_was_counted(worker: RequestRecorder, window: str, steps: int) -> None:
    told = status(client_of("viewer"), window=window)

    figures = told["figures"]
    assert (told["window"], len(told["steps"]), told["in_flight"]) == (window, steps, 1)
    assert (figures["requests"], figures["uploads"]) == (7, 4)
    assert (figures["client_errors"], figures["server_errors"]) == (2, 1)
    assert figures["success_share"] == pytest.approx(4 / 7)
    assert figures["p50_ms"] == pytest.approx(20, rel=0.09)
    assert (figures["receive_wait_ms"], figures["backend_wait_ms"]) == pytest.approx((5, 10))
    assert figures["uploads_per_minute"] == pytest.approx(4 / told["seconds"] * 60)


def test_by_bucket(worker: RequestRecorder) -> None:
    told = status(client_of("viewer"))["buckets"]

    assert [(bucket["bucket"], bucket["figures"]["requests"], bucket["in_flight"]) for bucket in told] == [
        ("uploads", 5, 1),
        ("removed", 1, 0),
        ("-", 1, 0),
    ]


def test_how_things_are(worker: RequestRecorder) -> None:
    told = status(client_of("viewer"))

    assert {check["name"]: check["status"] for check in told["checks"]} == {
        "database": "ok",
        "server": "ok",
        "trace export": "ok",
        "policy engines": "ok",
        "storage:uploads": "ok",
    }
    (known,) = told["workers"]
    assert (known["node"], known["pid"], known["is_gone"]) == ("node-a", 7, False)
    assert known["in_flight"] == {"uploads": 1}
    assert told["exports"] == told["engines"] == []


def test_a_quiet_gateway() -> None:
    told = status(client_of("viewer"))

    assert (told["figures"]["requests"], told["figures"]["success_share"], told["in_flight"]) == (0, None, 0)
    assert [bucket["bucket"] for bucket in told["buckets"]] == ["uploads"]
    assert told["workers"] == []


@pytest.mark.parametrize("window", ["1m", "15M", "\0", "24h,1h"])
def test_a_window_that_is_none(window: str) -> None:
    answer = client_of("viewer").get(PATH, {"window": window})

    assert answer.status_code == 400
    assert "window" in answer.json()


def test_who_may_see_it(client: Client) -> None:
    assert client.get(PATH).status_code == 401
    assert client_of("nobody").get(PATH).status_code == 403
