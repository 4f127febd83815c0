"""Who may read ``/metrics``: this machine, or who has the token."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import RequestFactory

from tests.tracing_app.metrics.metric_samples import Samples, source
from tracing_app.metrics.meter import Meter
from tracing_app.metrics.view import metrics_view

TOKEN = "0123456789abcdef-token"


def answer(samples: Samples, token: str | None, **environ: Any) -> Any:
    meter = Meter([source((samples.cakes, ("plum",), 2.0))])
    request = RequestFactory().get("/metrics", **environ)
    return metrics_view(meter, token)(request)


@pytest.mark.parametrize("peer", ["127.0.0.1", "127.0.0.9", "::1"])
def test_without_a_token_this_machine_may(samples: Samples, peer: str) -> None:
    read = answer(samples, None, REMOTE_ADDR=peer)
    assert read.status_code == 200
    assert 'test_cakes_total{kind="plum"} 2.0' in read.content.decode()


@pytest.mark.parametrize(
    "environ",
    [
        {"REMOTE_ADDR": "192.0.2.1"},
        {"REMOTE_ADDR": "::ffff:192.0.2.1"},
        {"REMOTE_ADDR": ""},
        {"REMOTE_ADDR": "127.0.0.1", "HTTP_X_FORWARDED_FOR": "127.0.0.1"},
        {"REMOTE_ADDR": "127.0.0.1", "HTTP_X_FORWARDED_HOST": "gateway"},
        {"REMOTE_ADDR": "127.0.0.1", "HTTP_FORWARDED": "for=127.0.0.1"},
        {"REMOTE_ADDR": "127.0.0.1", "HTTP_X_REAL_IP": "127.0.0.1"},
        {"REMOTE_ADDR": "127.0.0.1", "HTTP_VIA": "1.1 proxy"},
        {"REMOTE_ADDR": "192.0.2.1", "HTTP_AUTHORIZATION": f"Bearer {TOKEN}"},
    ],
)
def test_without_a_token_nobody_else_may(samples: Samples, environ: dict[str, str]) -> None:
    refused = answer(samples, None, **environ)
    assert refused.status_code == 403
    assert b"test_cakes" not in refused.content


@pytest.mark.parametrize(
    "authorization",
    ["", f"Basic {TOKEN}", "Bearer", f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}", "Bearer \xe9"],
)
def test_with_a_token_it_must_be_presented(samples: Samples, authorization: str) -> None:
    refused = answer(samples, TOKEN, HTTP_AUTHORIZATION=authorization)
    assert (refused.status_code, refused["WWW-Authenticate"]) == (401, "Bearer")
    assert b"test_cakes" not in refused.content


def test_with_a_token_anybody_may_who_has_it(samples: Samples) -> None:
    read = answer(samples, TOKEN, REMOTE_ADDR="192.0.2.1", HTTP_AUTHORIZATION=f"bearer {TOKEN}")
    assert read.status_code == 200


def test_the_type_is_told(samples: Samples) -> None:
    openmetrics = "application/openmetrics-text; version=1.0.0"
    assert answer(samples, None, HTTP_ACCEPT=openmetrics)["Content-Type"].startswith(openmetrics)
    assert answer(samples, None)["Content-Type"].startswith("text/plain; version=0.0.4")
