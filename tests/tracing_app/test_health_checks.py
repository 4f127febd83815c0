from __future__ import annotations

import json

import pytest
from django.test import RequestFactory

from tracing_app.health.base import Check, overall
from tracing_app.health.views import livez, ready_view


def fine() -> str:
    return "reachable"


def broken() -> str:
    raise RuntimeError("secret host is down")


@pytest.mark.parametrize(
    ("checks", "status", "http_status"),
    [
        ([], "ok", 200),
        ([Check("a", fine)], "ok", 200),
        ([Check("a", fine), Check("b", broken)], "failed", 503),
        ([Check("a", fine), Check("b", broken, is_vital=False)], "degraded", 200),
        ([Check("a", broken), Check("b", broken, is_vital=False)], "failed", 503),
    ],
    ids=["none", "fine", "a vital one broken", "another broken", "both broken"],
)
def test_readiness(checks: list[Check], status: str, http_status: int) -> None:
    response = ready_view(lambda: checks)(RequestFactory().get("/readyz"))

    report = json.loads(response.content)
    assert (report["status"], response.status_code) == (status, http_status)
    assert set(report["checks"]) == {check.name for check in checks}
    assert "secret host" not in response.content.decode()
    assert response.has_header("Retry-After") == (http_status == 503)


def test_the_log_says_what_is_wrong_and_nothing_else(caplog: pytest.LogCaptureFixture) -> None:
    checks = [Check("a", fine), Check("b", broken), Check("c", broken, is_vital=False)]

    ready_view(lambda: checks)(RequestFactory().get("/readyz"))

    assert caplog.messages[:2] == ["b is failed: secret host is down", "c is degraded: secret host is down"]
    assert "a is" not in caplog.text


def test_a_check_says_what_is_wrong_to_operators() -> None:
    health = Check("a", broken).run()

    assert (health.status, health.detail) == ("failed", "secret host is down")
    assert overall([health]) == "failed"


def test_liveness_asks_nothing() -> None:
    assert livez(RequestFactory().get("/livez")).status_code == 200


def test_probes_only_read() -> None:
    assert livez(RequestFactory().post("/livez")).status_code == 405
