from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from tests.servers.otlp_receiver import otlp_receiver
from tests.tracing_app.sampling.traces import trace
from tracing_app import provider
from tracing_app.config import StoreConfig, TracingConfig
from tracing_app.exporting.config import ExportConfig, OtlpConfig
from tracing_app.exporting.factory import build_worker
from tracing_app.exporting.fan_out import FanOut
from tracing_app.health.base import overall
from tracing_app.health.exporter import exporter_check
from tracing_app.resource import build_resource
from tracing_app.sampling.tail import TailPolicy, TailSampler
from tracing_app.store.factory import build_store_worker


@pytest.fixture
def export(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    stats = SimpleNamespace(state="healthy", last_error="")
    monkeypatch.setattr("tracing_app.health.exporter.export_stats", lambda: stats)
    return stats


def test_an_export_that_fails_degrades_and_no_more(export: SimpleNamespace) -> None:
    assert exporter_check().run().status == "ok"

    export.state, export.last_error = "spooling", "connection refused"

    health = exporter_check().run()
    assert overall([health]) == "degraded"
    assert "connection refused" in health.detail


def test_nothing_exported_is_fine() -> None:
    assert exporter_check().run().status == "ok"


@pytest.mark.django_db
def test_the_statistics_are_for_staff() -> None:
    assert Client().get("/health/tracing").status_code in (401, 403)
    user = User.objects.create_user("operator", password="x")
    client = Client()
    client.force_login(user)
    assert client.get("/health/tracing").status_code == 403

    user.is_staff = True
    user.save()

    assert client.get("/health/tracing").json() == {"state": "off"}


@pytest.mark.django_db
def test_the_statistics_of_an_export(monkeypatch: pytest.MonkeyPatch, admin_client: Client) -> None:
    with otlp_receiver("http/protobuf") as receiver:
        otlp = OtlpConfig(f"http://127.0.0.1:{receiver.port}", "http/protobuf")
        worker = build_worker(ExportConfig(otlp), build_resource(TracingConfig("x")))
        store = build_store_worker(StoreConfig(), build_resource(TracingConfig("x")))
        sampler = TailSampler(TailPolicy(), FanOut([worker, store]))
        tracing: Any = SimpleNamespace(worker=worker, exporter=worker, store=store, sampler=sampler)
        sampler.offer(trace())
        monkeypatch.setattr(provider._Process, "pid", provider.os.getpid())
        monkeypatch.setattr(provider._Process, "tracing", tracing)

        report = admin_client.get("/health/tracing").json()

        assert worker.shutdown(3)
    assert (report["state"], report["breaker"], report["queue_spans"]) == ("healthy", "closed", 0)
    assert report["spans_dropped"] == {}
    assert report["sampling"]["traces_dropped"] == {"head": 1}
    assert (report["store"]["state"], report["store"]["queue_traces"]) == ("healthy", 0)
